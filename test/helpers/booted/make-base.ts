// Makes the base of the Debian roots, before a test has to wait for it: .ci/run does that beside lint and types.
import { debianBase } from './root.ts';

debianBase();
