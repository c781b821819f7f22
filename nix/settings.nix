# The keys of /etc/orphand/config.yaml as options: the names and limits of orphand's own schema (src/config/schema.ts; a
# test compares the two). A key that is not set stays out of the file, where orphand's own default then holds.
{ lib }:
let
  inherit (lib) mkOption types;
  optional =
    type: description:
    mkOption {
      type = types.nullOr type;
      default = null;
      inherit description;
    };
  duration = types.strMatching "[0-9]+(\\.[0-9]+)?(ms|s|m|h)";
  clean = types.enum [
    "off"
    "orphans"
    "suspects"
  ];
  protocol = types.enum [
    "tcp"
    "udp"
  ];
  cleaning = trigger: default: {
    clean = mkOption {
      type = types.nullOr clean;
      inherit default;
      description = "What ${trigger} may end: nothing, proven orphans, or suspects too.";
    };
    confirmAfter = optional duration "How long after the first look the second one comes; only what both saw is ended.";
  };
  port = types.submodule {
    options = {
      port = mkOption {
        type = types.port;
        description = "The port number.";
      };
      service = optional types.str "What people call the service, for messages and metrics.";
      protocol = optional protocol "Watched on this protocol only, whatever `protocols` says.";
    };
  };
in
{
  ports = optional (types.listOf (types.either types.port port)) "The ports of the stack that are watched.";
  patterns =
    optional (types.listOf types.str)
      "Regular expressions (JavaScript's) that the command lines of the stack's processes match.";
  containers = {
    names = optional (types.listOf types.str) "Names of the stack's containers, with * and ? as wildcards.";
    labels = optional (types.listOf types.str) "Labels of the stack's containers, as `key` or `key=value`.";
    projects = optional (types.listOf types.str) "Compose projects.";
  };
  protocols = optional (types.listOf protocol) "Which protocols the ports are watched on.";
  gracePeriod = optional duration "Between SIGTERM and SIGKILL.";
  maxTargets = optional types.ints.positive "A clean-up of more processes than this is refused without --force.";
  runtimeTimeout = optional duration "How long one runtime (podman, docker) may take to answer.";
  stateDirectory = optional types.path "Where the journal and the lock are; systemd's state directory unless set.";
  clean = cleaning "`orphand clean`" null;
  sweep = cleaning "a sweep of the daemon" "orphans" // {
    schedule = optional types.str "Cron expression, with seconds as the first of six fields.";
    fullScanEvery = optional types.ints.positive "Every so many sweeps everything is read again.";
  };
  boot = cleaning "the clean-up at boot" "orphans" // {
    timeout = optional duration "The boot goes on after this, whatever is left.";
  };
  stop = cleaning "`orphand stop`" null;
  preflight = cleaning "`orphand preflight`" null // {
    wait = optional duration "How long to wait for ports that are being let go.";
  };
  http = {
    listen = optional types.str "Address and port of the TCP listener; empty for none.";
    socket = optional types.str "Path of the Unix socket.";
    socketGroup = optional types.str "Group whose members may control orphand through the Unix socket.";
    tokenFile = optional types.str "File with the bearer token that allows control over TCP.";
    allowRemote = optional types.bool "Whether `listen` may be an address other than loopback.";
  };
  log.level = optional (types.enum [
    "silent"
    "fatal"
    "error"
    "warn"
    "info"
    "debug"
    "trace"
  ]) "The least important messages that are written.";
}
