SELECT "$group_0", count(*) AS events
FROM events
WHERE "$group_0" <> ''
GROUP BY "$group_0"
ORDER BY events DESC, "$group_0"
LIMIT 20
