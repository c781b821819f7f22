# boot.sh NAME ROOT [nspawn flags]: boots ROOT with systemd as PID 1, on a pure cgroup v2 tree, in a cgroup of that name
# (a leftover one would fail with "Failed to create payload subcgroup"), with a network of its own.
set -eu
name=$1
root=$2
shift 2
mount --make-rprivate /
if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; then
  umount -R /sys/fs/cgroup
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi
mkdir "/sys/fs/cgroup/$name"
echo $$ >"/sys/fs/cgroup/$name/cgroup.procs"
exec systemd-nspawn --boot --quiet --register=no --keep-unit --resolv-conf=off --private-network --capability=all \
  --system-call-filter="@keyring bpf" --console=pipe --machine="$name" --directory="$root" "$@"
