-- caller_load: how much a caller keeps the system busy with: jobs that have not ended, and tasks that nobody had yet.
-- is_known: the job of this id exists, so that asking for it again adds nothing. Null as a caller: whoever submitted that job.
-- Bounded by the caller's unfinished jobs (index jobs_of_caller). Locks: none: a bound for protection, not an account.
CREATE FUNCTION app.caller_load(p_caller text, p_job_id text) RETURNS TABLE (is_known boolean, jobs int, tasks bigint)
LANGUAGE sql STABLE SET plan_cache_mode = force_custom_plan AS $$
  SELECT EXISTS (SELECT FROM app.jobs j WHERE j.job_id = p_job_id), count(DISTINCT j.job_id)::int,
    coalesce(sum(s.expected - s.claim_cursor), 0)::bigint
  FROM app.jobs j LEFT JOIN app.stages s ON s.job_id = j.job_id AND s.retired_at IS NULL AND s.status <> 'closed'
  WHERE coalesce(j.submitted_by, '') = coalesce(p_caller, (SELECT o.submitted_by FROM app.jobs o WHERE o.job_id = p_job_id), '') AND j.finished_at IS NULL;
$$;
