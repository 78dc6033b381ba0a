// The app with one job type more, which the product has no use for: hello_world whose tasks wait.
import { jobs } from '../../src/jobs/index.gen.ts'
import '../../src/main.ts'
import type { AnyJob } from '../../src/define/define-job.ts'
import waitingHello from './waiting-hello.ts'

// The registry is read at the first request, after this line.
;(jobs as AnyJob[]).push(waitingHello)
