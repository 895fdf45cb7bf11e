"""Run by itself: systemd units, crontab lines and log rotation, as text and put in place."""
