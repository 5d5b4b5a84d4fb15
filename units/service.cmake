# SPDX-License-Identifier: MIT
#
# Run after linking: writes the service's unit UNIT from TEMPLATE, and its root folder
# ROOT, for the program that is to be installed as PROGRAM and now is BUILT.
cmake_minimum_required(VERSION 3.25)

# As the loader names them, not where a link leads: that changes with every upgrade.
if("${LIBRARIES}" STREQUAL "")
  execute_process(COMMAND ldd ${BUILT} OUTPUT_VARIABLE said COMMAND_ERROR_IS_FATAL ANY)
  if(said MATCHES "not found")
    message(FATAL_ERROR "a library of fatward is missing:\n${said}")
  endif()
  string(REGEX MATCHALL "/[^ \t\n]+ \\(0x" LIBRARIES "${said}")
  list(TRANSFORM LIBRARIES REPLACE " \\(0x$" "")
endif()
if("${LIBRARIES}" STREQUAL "")
  message(FATAL_ERROR "FAT_SERVICE_LIBRARIES has to name the libraries of fatward")
endif()
list(SORT LIBRARIES)
list(REMOVE_DUPLICATES LIBRARIES)

set(files ${PROGRAM} ${LIBRARIES})
list(JOIN files " " FILES)
list(JOIN files " +" EXEC_FILES)
string(PREPEND EXEC_FILES "+")
# There is no ld.so.cache in the service's root.
list(TRANSFORM LIBRARIES REPLACE "/[^/]*$" "" OUTPUT_VARIABLE folders)
list(REMOVE_DUPLICATES folders)
list(JOIN folders ":" LIBRARY_PATH)
configure_file(${TEMPLATE} ${UNIT} @ONLY)

# systemd mounts over the folders that it makes private, and adds, where it can write,
# those that every root has; an uninstall would leave these behind.
file(REMOVE_RECURSE ${ROOT})
foreach(folder bin dev etc home lib lib64 proc root run sbin sys tmp usr var/tmp)
  file(MAKE_DIRECTORY ${ROOT}/${folder})
endforeach()
foreach(file ${files})
  file(WRITE ${ROOT}${file} "")
endforeach()
