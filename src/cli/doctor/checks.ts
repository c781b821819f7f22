import { aging, clock, engines, forgotten, leaving, lingering, units } from './check-host.ts';
import { cgroups, pidfd, pidNamespace, privileges, procMount, stateDirectory } from './check-process.ts';
import type { DoctorFacts } from './facts.ts';
import type { Finding } from './finding.ts';

/** What limits orphand on a host, each with its cure, in the order in which a person would go about them. Pure. */
export function diagnose(facts: DoctorFacts): Finding[] {
  return [
    privileges(facts),
    ...procMount(facts),
    ...pidNamespace(facts),
    pidfd(facts),
    cgroups(facts),
    stateDirectory(facts),
    ...engines(facts),
    ...forgotten(facts),
    ...aging(facts),
    ...lingering(facts),
    ...leaving(facts),
    ...units(facts),
    clock(facts),
  ];
}
