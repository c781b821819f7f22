# services.orphand: what `orphand install` does elsewhere. The units are those of ../systemd, where each unusual line
# has its reason; a test compares them.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.orphand;
  inherit (lib) mkEnableOption mkIf mkOption types;

  yaml = pkgs.formats.yaml { };
  # A key that is not set is left to orphand's own default.
  withoutNull =
    value:
    if builtins.isAttrs value then
      lib.filterAttrs (_: one: one != null && one != { }) (builtins.mapAttrs (_: withoutNull) value)
    else if builtins.isList value then
      map withoutNull value
    else
      value;
  settings = withoutNull cfg.settings;
  generated = yaml.generate "orphand.yaml" settings;
  configFile =
    if cfg.checkConfig then
      # What the types can't say (a pattern that does not compile) fails the build, not the boot.
      pkgs.runCommand "orphand-checked.yaml" { } ''
        ${program} --config ${generated} config check
        cp ${generated} $out
      ''
    else
      generated;

  # Not the wrapper in bin/, which is a shell script.
  node = "${cfg.package.nodejs}/bin/node";
  entry = "${cfg.package}/lib/node_modules/orphand/dist/bin.js";
  program = "${node} ${entry}";
  hardening = import ./hardening.nix;
  three = [
    "CAP_KILL"
    "CAP_SYS_PTRACE"
    "CAP_DAC_READ_SEARCH"
  ];
  four = three ++ [ "CAP_DAC_OVERRIDE" ];
  withCapabilities = capabilities: {
    CapabilityBoundingSet = capabilities;
    AmbientCapabilities = capabilities;
    # cgroup.kill is for those who may open it.
    ProtectControlGroups = !(builtins.elem "CAP_DAC_OVERRIDE" capabilities);
  };
  runtimes = [
    "podman.service"
    "podman-restart.service"
    "docker.service"
    "containerd.service"
  ];

  socket = settings.http.socket or "/run/orphand/orphand.sock";
  listen = settings.http.listen or "127.0.0.1:9713";
  # What orphand itself takes for loopback.
  isLoopback = builtins.match "(127\\.[0-9.]+|localhost|\\[::1]):[0-9]+" listen != null;
  renamed =
    name:
    lib.mkRenamedOptionModule
      [
        "services"
        "ai-stack-cleanup"
        name
      ]
      [
        "services"
        "orphand"
        name
      ];
in
{
  imports = map renamed [
    "enable"
    "onBoot"
    "onShutdown"
  ];

  options.services.orphand = {
    enable = mkEnableOption "orphand, which ends processes that outlived their container and still hold its ports";
    package = mkOption {
      type = types.package;
      default = pkgs.callPackage ./package.nix { };
      defaultText = lib.literalExpression "pkgs.callPackage ./package.nix { }";
      description = "The orphand that is run.";
    };
    onBoot = mkOption {
      type = types.bool;
      default = true;
      description = "Whether to free the stack's ports once per boot, before containers start.";
    };
    onShutdown = mkOption {
      type = types.bool;
      default = false;
      description = "Whether to end orphans at shutdown, before the container runtimes stop.";
    };
    daemon = {
      enable = mkEnableOption "the daemon: sweeps, HTTP API, metrics and status page";
      fullRoot = mkOption {
        type = types.bool;
        default = false;
        description = ''
          Whether the daemon may write what it can read (CAP_DAC_OVERRIDE): cgroup.kill, the runtimes' sockets. Beside
          CAP_SYS_PTRACE that is root's power, so whoever takes over the daemon has the host.
        '';
      };
    };
    sweep = {
      enable = mkEnableOption "a timer that ends orphans, for hosts without the daemon";
      interval = mkOption {
        type = types.str;
        default = "5min";
        description = "From the end of one clean-up of the timer to the next (systemd.time(7)).";
      };
    };
    settings = mkOption {
      type = types.submodule { options = import ./settings.nix { inherit lib; }; };
      default = { };
      description = "What becomes /etc/orphand/config.yaml.";
    };
    checkConfig = mkOption {
      type = types.bool;
      default = true;
      description = "Whether the build runs `orphand config check`. Turn it off where the package can't run on the builder.";
    };
  };

  config = mkIf cfg.enable {
    assertions = [
      {
        assertion = cfg.onBoot || cfg.onShutdown || cfg.daemon.enable || cfg.sweep.enable;
        message = "services.orphand.enable does nothing by itself: set onBoot, onShutdown, daemon.enable or sweep.enable.";
      }
      {
        assertion = !(cfg.daemon.enable && cfg.sweep.enable);
        message = "services.orphand: daemon.enable and sweep.enable both sweep; sweep.enable is for hosts without the daemon.";
      }
      {
        assertion = cfg.daemon.fullRoot -> cfg.daemon.enable;
        message = "services.orphand.daemon.fullRoot changes the daemon's unit: it needs daemon.enable.";
      }
      {
        assertion = listen == "" || isLoopback || (settings.http.allowRemote or false && settings ? http.tokenFile);
        message = "services.orphand.settings.http.listen is not loopback: it needs http.allowRemote and http.tokenFile.";
      }
      {
        assertion = settings.stateDirectory or "/var/lib/orphand" == "/var/lib/orphand";
        message = "services.orphand.settings.stateDirectory: the units may write to /var/lib/orphand only.";
      }
    ];

    environment.systemPackages = [ cfg.package ];
    environment.etc."orphand/config.yaml".source = configFile;
    users.users.orphand = {
      isSystemUser = true;
      group = "orphand";
      description = "orphand daemon";
    };
    users.groups.orphand = { };
    systemd.tmpfiles.rules = [ "d /run/orphand 0755 root root -" ];

    systemd.sockets.orphand = mkIf (cfg.daemon.enable && socket != "") {
      description = "orphand: control socket";
      wantedBy = [ "sockets.target" ];
      socketConfig = {
        ListenStream = socket;
        SocketUser = "root";
        SocketGroup = settings.http.socketGroup or "orphand";
        SocketMode = "0660";
        FileDescriptorName = "control";
        RemoveOnStop = true;
      };
    };
    systemd.sockets.orphand-http = mkIf (cfg.daemon.enable && listen != "") {
      description = "orphand: HTTP on loopback (status page, API, metrics)";
      wantedBy = [ "sockets.target" ];
      socketConfig = {
        ListenStream = listen;
        FileDescriptorName = "http";
        Service = "orphand.service";
      };
    };

    systemd.services.orphand = mkIf cfg.daemon.enable {
      description = "orphand: finds and ends processes that outlived their container";
      wantedBy = [ "multi-user.target" ];
      requires = lib.optional (socket != "") "orphand.socket";
      wants = lib.optional (listen != "") "orphand-http.socket";
      after = [
        "orphand.socket"
        "orphand-http.socket"
        "orphand-boot.service"
      ];
      reloadTriggers = [ configFile ];
      unitConfig = {
        StartLimitIntervalSec = 300;
        StartLimitBurst = 5;
      };
      serviceConfig =
        hardening
        // withCapabilities (if cfg.daemon.fullRoot then four else three)
        // {
          Type = "notify";
          NotifyAccess = "main";
          ExecStart = "${node} --disable-proto=delete --max-old-space-size=128 ${entry} serve";
          ExecReload = "+${pkgs.coreutils}/bin/kill -HUP $MAINPID";
          WatchdogSec = "30s";
          Restart = "on-failure";
          RestartSec = "200ms";
          TimeoutStartSec = "30s";
          TimeoutStopSec = "20s";
        };
    };

    systemd.services.orphand-boot = mkIf cfg.onBoot {
      description = "orphand: free the stack's ports before containers start";
      wantedBy = [ "multi-user.target" ];
      before = runtimes ++ [ "network-online.target" ];
      # A switch of the configuration is no boot.
      restartIfChanged = false;
      serviceConfig =
        hardening
        // withCapabilities four
        // {
          Type = "oneshot";
          RemainAfterExit = true;
          ExecStart = "${program} boot";
          TimeoutStartSec = "75s";
          ReadWritePaths = "-/run/orphand -/var/lib/prometheus/node-exporter -/var/lib/node_exporter/textfile_collector";
        };
    };

    systemd.services.orphand-shutdown = mkIf cfg.onShutdown {
      description = "orphand: end orphans before the container runtimes stop";
      wantedBy = [ "multi-user.target" ];
      after = runtimes;
      before = [ "orphand.service" ];
      # A restart would run ExecStop=, which is for the shutdown.
      restartIfChanged = false;
      serviceConfig =
        hardening
        // withCapabilities four
        // {
          Type = "oneshot";
          RemainAfterExit = true;
          ExecStop = "${program} clean";
          TimeoutStopSec = "30s";
        };
    };

    systemd.services.orphand-sweep = mkIf cfg.sweep.enable {
      description = "orphand: end orphans once";
      after = [ "orphand-boot.service" ];
      serviceConfig =
        hardening
        // withCapabilities three
        // {
          Type = "oneshot";
          ExecStart = "${program} clean";
          TimeoutStartSec = "120s";
        };
    };
    systemd.timers.orphand-sweep = mkIf cfg.sweep.enable {
      description = "orphand: end orphans at an interval, for hosts without the daemon";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnBootSec = "2min";
        OnUnitInactiveSec = cfg.sweep.interval;
        AccuracySec = "10s";
      };
    };
  };
}
