-- remove_output: the file is gone from storage. A file that was published meanwhile stays: false.
-- Locks: its row. Asked again: true.
CREATE FUNCTION app.remove_output(p_container text, p_blob text) RETURNS boolean
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
BEGIN
  UPDATE app.raster_outputs o SET state = 'deleted', changed_at = CASE WHEN o.state = 'deleted' THEN o.changed_at ELSE now() END
  WHERE o.container = p_container AND o.blob = p_blob AND o.state <> 'published';
  RETURN FOUND;
END $$;
