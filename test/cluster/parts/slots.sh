# shellcheck shell=bash
# Sourced by up.sh and down.sh. Ports, bridge, subnets and cgroups are named machine-wide by a slot (1 to 99), which belongs to
# the cluster folder recorded in it; so clusters of several checkouts run side by side.
SLOTS=/run/lifeboat-cluster
[ -w /run ] || SLOTS=${XDG_RUNTIME_DIR:-/tmp}/lifeboat-cluster-$UID
mkdir -p "$SLOTS"

slot_owner() { cat "$SLOTS/$1" 2>/dev/null || true; }

port() { echo $((20000 + $1 * 10 + $2)); } # port SLOT INDEX

slot_is_free() { # slot_is_free SLOT: nobody's, or of a folder that is gone; and nothing listens on its ports
  local owner index
  owner=$(slot_owner "$1")
  [ -z "$owner" ] || [ ! -d "$owner" ] || return 1
  for index in 0 1 2 3 4 5 6; do
    ! (exec 3<>"/dev/tcp/127.0.0.1/$(port "$1" "$index")") 2>/dev/null || return 1
  done
}

claim_slot() { # claim_slot FOLDER: sets SLOT; the same one as long as the folder lives, since its certificates name it
  local folder=$1 owner
  exec 7>"$SLOTS/lock"
  flock 7
  SLOT=$(cat "$folder/slot" 2>/dev/null || true)
  if [ -n "$SLOT" ]; then
    owner=$(slot_owner "$SLOT") # none after a reboot: /run is empty, the folder is not
    [ -z "$owner" ] || [ "$owner" = "$folder" ] || [ ! -d "$owner" ] ||
      fail "$folder lost its slot $SLOT to $owner: run down.sh all --wipe"
  else
    for SLOT in {1..99} none; do slot_is_free "$SLOT" && break; done
    [ "$SLOT" != none ] || fail "no free slot in $SLOTS"
  fi
  echo "$folder" >"$SLOTS/$SLOT"
  echo "$SLOT" >"$folder/slot"
  exec 7>&-
}

release_slot() { # release_slot FOLDER
  local slot
  slot=$(cat "$1/slot" 2>/dev/null || true)
  [ -z "$slot" ] || [ "$(slot_owner "$slot")" != "$1" ] || rm -f "$SLOTS/$slot"
}
