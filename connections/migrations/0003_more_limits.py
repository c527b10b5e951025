"""Window mode, tokens a minute, budgets and retry policy of an installation."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0002_connection_retest_at"),
    ]

    operations = [
        migrations.AddField(
            model_name="installation",
            name="day_dollars",
            field=models.DecimalField(blank=True, decimal_places=2, max_digits=11, null=True),
        ),
        migrations.AddField(
            model_name="installation",
            name="day_tokens",
            field=models.PositiveBigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="installation",
            name="month_dollars",
            field=models.DecimalField(blank=True, decimal_places=2, max_digits=11, null=True),
        ),
        migrations.AddField(
            model_name="installation",
            name="month_tokens",
            field=models.PositiveBigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="installation",
            name="retry_all",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="installation",
            name="retry_cap",
            field=models.FloatField(default=60.0),
        ),
        migrations.AddField(
            model_name="installation",
            name="retry_count",
            field=models.PositiveSmallIntegerField(default=2),
        ),
        migrations.AddField(
            model_name="installation",
            name="retry_delay",
            field=models.FloatField(default=0.5),
        ),
        migrations.AddField(
            model_name="installation",
            name="retry_wait",
            field=models.CharField(
                choices=[("backoff", "Longer each time"), ("fixed", "Always the same")], default="backoff", max_length=8
            ),
        ),
        migrations.AddField(
            model_name="installation",
            name="tokens_per_minute",
            field=models.PositiveBigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="installation",
            name="warn_percent",
            field=models.PositiveSmallIntegerField(default=80),
        ),
        migrations.AddField(
            model_name="installation",
            name="window_mode",
            field=models.CharField(
                choices=[("strict", "Until it has ended"), ("sent", "From when it was sent")],
                default="strict",
                max_length=8,
            ),
        ),
    ]
