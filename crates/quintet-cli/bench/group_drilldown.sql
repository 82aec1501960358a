SELECT event, count(*) AS events, count(DISTINCT person_id) AS persons,
  arrow_cast(min(timestamp), 'Int64') AS first, arrow_cast(max(timestamp), 'Int64') AS last
FROM events
WHERE "$group_0" = '@COMPANY@'
GROUP BY event
