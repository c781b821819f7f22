# Boots this machine's own system, copied on write, with systemd as PID 1 on a pure cgroup v2 tree:
# systemd-host.sh DIR CGROUP REPO NODE. Made by systemd.ts in a mount namespace of its own.
set -e
umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir "/sys/fs/cgroup/$2"
echo $$ >"/sys/fs/cgroup/$2/cgroup.procs"
# systemd-nspawn cleans up below /run when it ends, and refuses to where that is on a disk.
mount -t tmpfs tmpfs /run
mkdir -p /run/lab
mount -t tmpfs tmpfs /run/lab
mkdir /run/lab/upper /run/lab/work /run/lab/root
root=/run/lab/root
mount -t overlay overlay -o lowerdir=/,upperdir=/run/lab/upper,workdir=/run/lab/work $root
# A user's namespace may mount a /proc only where one can be seen that nothing covers (mount_too_revealing(),
# fs/namespace.c); systemd-nspawn 257 covers parts of its own and leaves no other, as 252 did.
mkdir /run/lab/proc
mount -t proc proc /run/lab/proc
# A machine without services of its own, but for what basic.target needs.
rm -rf $root/etc/systemd/system/*.wants $root/etc/machine-id
mkdir -p $root/opt/lab/repo
touch $root/opt/lab/node
systemd-nspawn --boot --register=no --keep-unit --resolv-conf=off --capability=all --private-network \
  --system-call-filter='@keyring bpf' --machine=orphand-lab --directory=$root \
  --tmpfs=/var/lib/containers --tmpfs=/var/lib/docker --tmpfs=/home \
  --bind=/run/lab/proc:/run/host-proc --bind="$1" --bind-ro="$3:/opt/lab/repo" --bind-ro="$4:/opt/lab/node" \
  systemd.unit=basic.target </dev/null &
nspawn=$!
while read -r _; do :; done
kill -KILL $(cat /proc/$nspawn/task/$nspawn/children)
wait $nspawn
