# SPDX-License-Identifier: MPL-2.0
"""Queues of jobs with limits, and the workers that are alive. Only adds: programs that know nothing
of it go on beside those that do."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('engine', '0003_bulk_runs'),
    ]

    operations = [
        migrations.CreateModel(
            name='QueueState',
            fields=[
                ('name', models.CharField(max_length=255, primary_key=True, serialize=False)),
                ('free_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'engine_queue',
            },
        ),
        migrations.CreateModel(
            name='WorkerSeen',
            fields=[
                ('name', models.CharField(max_length=150, primary_key=True, serialize=False)),
                ('dispatch', models.CharField(max_length=20)),
                ('version', models.CharField(max_length=50)),
                ('queues', models.TextField(blank=True)),
                ('concurrency', models.PositiveIntegerField()),
                ('started_at', models.DateTimeField()),
                ('seen_at', models.DateTimeField()),
                ('stopped_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'engine_worker',
            },
        ),
        migrations.AddField(
            model_name='job',
            name='queue',
            field=models.CharField(blank=True, db_default='', default='', max_length=255),
        ),
        migrations.RunSQL(
            "UPDATE engine_job SET queue = task_type WHERE queue = ''", migrations.RunSQL.noop
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(fields=['queue', 'available_at'], name='engine_job_queue'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('status', 'running')), fields=['queue'], name='engine_job_running'),
        ),
    ]
