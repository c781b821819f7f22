# systemd/hardening.conf as attributes: the reasons are there, and a test sees to it that the two agree.
{
  User = "orphand";
  Group = "orphand";
  NoNewPrivileges = true;
  UMask = "0077";
  StateDirectory = "orphand";
  StateDirectoryMode = "0700";
  UnsetEnvironment = "NODE_OPTIONS NODE_EXTRA_CA_CERTS";
  Environment = "NODE_ENV=production";
  ProtectSystem = "strict";
  ProtectHome = "read-only";
  PrivateTmp = true;
  PrivateDevices = true;
  DevicePolicy = "closed";
  PrivateMounts = true;
  NoExecPaths = "/ -/tmp -/var/tmp -/dev/shm -/var/lib/orphand";
  # On NixOS a program's libraries are all over the store, so this can't be as narrow as elsewhere: nothing that was
  # written outside of the store can be run.
  ExecPaths = builtins.storeDir;
  ProtectKernelTunables = true;
  ProtectKernelModules = true;
  ProtectKernelLogs = true;
  ProtectClock = true;
  ProtectHostname = true;
  ProtectProc = "invisible";
  PrivateNetwork = true;
  RestrictAddressFamilies = "AF_UNIX";
  IPAddressDeny = "any";
  IPAddressAllow = "localhost";
  SocketBindDeny = "any";
  RestrictNamespaces = true;
  RestrictRealtime = true;
  RestrictSUIDSGID = true;
  LockPersonality = true;
  PrivateIPC = true;
  RemoveIPC = true;
  KeyringMode = "private";
  SystemCallArchitectures = "native";
  SystemCallErrorNumber = "EPERM";
  SystemCallFilter = [
    "@system-service process_mrelease"
    "~@privileged @resources @keyring @memlock ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp name_to_handle_at userfaultfd setns unshare io_uring_setup io_uring_enter io_uring_register"
  ];
  MemoryHigh = "192M";
  MemoryMax = "256M";
  TasksMax = 64;
  LimitNOFILE = 32768;
  LimitCORE = 0;
  OOMScoreAdjust = -500;
}
