# shellcheck shell=bash
# Sourced by up.sh and down.sh. A process is known by its file FOLDER/pid/NAME, "PID STARTTIME": only what up.sh started is ever
# signalled, even when the number is somebody else's by now. Each leads a process group of its own.

start_time() { # start_time PID: field 22 of its stat; the name in field 2 may hold spaces, so it is cut off first
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  read -ra stat <<<"${stat##*) }"
  # A zombie has ended.
  [ "${stat[0]}" != Z ] && echo "${stat[19]}"
}

pid_of() { # pid_of FOLDER NAME: prints the pid if the process that was recorded lives
  local pid started
  { read -r pid started <"$1/pid/$2"; } 2>/dev/null || return 1
  [ "$(start_time "$pid")" = "$started" ] && echo "$pid"
}

alive() { pid_of "$1" "$2" >/dev/null; }

start() { # start FOLDER NAME COMMAND...: unless it runs
  local folder=$1 name=$2 pid
  shift 2
  alive "$folder" "$name" && return
  setsid nohup "$@" >>"$folder/log/$name.log" 2>&1 </dev/null 9>&- &
  pid=$!
  echo "$pid $(start_time $pid)" >"$folder/pid/$name"
}

supervised() { # supervised FOLDER NAME COMMAND...: started again when it exits, as a CSI sidecar does that loses its driver
  local folder=$1 name=$2
  shift 2
  start "$folder" "$name" "$HERE/parts/supervise.sh" "$@"
}

signal_all() { # signal_all FOLDER SIGNAL NAME...
  local folder=$1 signal=$2 name pid
  shift 2
  for name in "$@"; do
    pid=$(pid_of "$folder" "$name") || continue
    # A supervisor must hear TERM first, and alone, or it starts its child again.
    if [ "$signal" = KILL ]; then kill -KILL -- "-$pid"; else kill "-$signal" "$pid"; fi
    # A test may have left it stopped.
    kill -CONT -- "-$pid" 2>/dev/null || true
  done
}

stop() { # stop FOLDER NAME...: all at once, and after 5 s by force
  local folder=$1 name deadline=$((SECONDS + 5))
  shift
  signal_all "$folder" TERM "$@"
  for name in "$@"; do
    while alive "$folder" "$name" && [ $SECONDS -lt $deadline ]; do sleep 0.05; done
  done
  signal_all "$folder" KILL "$@"
  for name in "$@"; do rm -f "$folder/pid/$name"; done
}

stop_all() { # stop_all FOLDER: in the order of the names, which matters to none of them
  local file names=()
  for file in "$1"/pid/*; do
    [ ! -f "$file" ] || names+=("${file##*/}")
  done
  [ ${#names[@]} = 0 ] || stop "$1" "${names[@]}"
}

wait_for() { # wait_for SECONDS COMMAND...
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || { echo "timeout: $*" >&2; return 1; }
    sleep 0.1
  done
}

unmount_below() { # unmount_below FOLDER: what is mounted there, the deepest first
  local mount
  awk -v below="$1/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while read -r mount; do
    umount "$mount" 2>/dev/null || umount -l "$mount"
  done
}
