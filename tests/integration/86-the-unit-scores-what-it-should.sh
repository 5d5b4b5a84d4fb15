#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What systemd itself says of the restrictions in fatward@.service. It knows only what
# is written there; whether it holds is the next test's.
. "$(dirname "$0")/tools.sh"
needs systemd-analyze

unit=$(dirname "$(command -v fatward)")/../units/fatward@.service
[ -f "$unit" ] || fail "no unit has been made for this build"
judged=$work/fatward@1.service

# scores HIGHEST: in tenths; that of $judged, with all deductions in $work/out
scores()
{
    systemd-analyze security --offline=true --no-pager --threshold="$1" "$judged" \
        >"$work/out" 2>"$work/err"
}

# Named one by one, as the score overlooks some of them and can make up for others.
for directive in AmbientCapabilities BindReadOnlyPaths CapabilityBoundingSet CollectMode \
    CoredumpFilter DevicePolicy DynamicUser ExecPaths IPAddressDeny InaccessiblePaths \
    KeyringMode LimitCORE LimitNOFILE LockPersonality LogRateLimitBurst \
    MemoryDenyWriteExecute MemoryMax MemorySwapMax NoExecPaths NoNewPrivileges \
    OOMScoreAdjust PrivateDevices PrivateIPC PrivateMounts PrivateNetwork PrivateTmp \
    PrivateUsers ProcSubset ProtectClock ProtectControlGroups ProtectHome \
    ProtectHostname ProtectKernelLogs ProtectKernelModules ProtectKernelTunables \
    ProtectProc ProtectSystem ReadOnlyPaths RestrictAddressFamilies \
    RestrictNamespaces RestrictRealtime RestrictSUIDSGID RootDirectory \
    SystemCallArchitectures SystemCallErrorNumber SystemCallFilter TasksMax UMask; do
    grep -q "^$directive=" "$unit" || fail "$directive= is not set"
done
! grep -E '^SystemCallFilter=.*(@|~)' "$unit" || fail "calls are allowed one by one"

# A unit of early boot is excused from what its file system looks like: count that too.
grep -v '^DefaultDependencies=' "$unit" >"$judged"
scores 1 || { cat "$work/out" "$work/err" && fail "it scores worse than 0.1"; }
others=$(grep '✗' "$work/out" | grep -v 'DeviceAllow=.*char-rtc:r')
[ -z "$others" ] || fail "a deduction that the unit doesn't explain: $others"
cp "$unit" "$judged"
scores 1 || { cat "$work/out" "$work/err" && fail "it scores worse than 0.1 as it is"; }

# The judge is awake.
for directive in RootDirectory PrivateNetwork SystemCallFilter RestrictNamespaces; do
    grep -vE "^($directive|DefaultDependencies)=" "$unit" >"$judged"
    ! scores 1 || fail "without $directive= it scores as well"
done
