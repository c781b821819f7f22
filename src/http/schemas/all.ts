import type { App } from '../routes/deps.ts';
import { ActionSchema, CleanReportSchema, CleanedPortSchema, CleanupEntrySchema } from './cleanup.ts';
import { ProblemSchema } from './problem.ts';
import {
  EvidenceSchema,
  ListenerSchema,
  PortSchema,
  ProcessSchema,
  ReportSchema,
  RuntimeSchema,
  SummarySchema,
  UnreadableSchema,
} from './report.ts';
import { HostSchema, LimitSchema, StatusSchema, SweepSchema } from './status.ts';

/** Makes every named schema known to the app, so that routes and the OpenAPI document can refer to it. */
export function addSchemas(app: App): void {
  for (const schema of [
    EvidenceSchema,
    ListenerSchema,
    PortSchema,
    ProcessSchema,
    RuntimeSchema,
    UnreadableSchema,
    SummarySchema,
    ReportSchema,
    ActionSchema,
    CleanedPortSchema,
    CleanReportSchema,
    CleanupEntrySchema,
    SweepSchema,
    LimitSchema,
    HostSchema,
    StatusSchema,
    ProblemSchema,
  ]) {
    app.addSchema(schema);
  }
}
