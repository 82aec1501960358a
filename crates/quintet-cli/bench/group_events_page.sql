SELECT uuid, event, distinct_id, person_id, arrow_cast(timestamp, 'Int64') AS at,
  "p.$current_url", "p.$browser", "p.plan"
FROM events
WHERE "$group_0" = '@COMPANY@'
ORDER BY at DESC, uuid
LIMIT 100
