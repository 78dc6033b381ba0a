-- assert_read_committed: refuses any isolation level but READ COMMITTED.
-- Under REPEATABLE READ each of two callers sees the other's task as open, and nobody turns out the lights.
-- Locks: none. Raises: LL010.
CREATE FUNCTION app.assert_read_committed() RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'transaction isolation is %, but this decision reads rows of other transactions', current_setting('transaction_isolation')
      USING ERRCODE = 'LL010', HINT = 'Call it in a READ COMMITTED transaction.';
  END IF;
END $$;
