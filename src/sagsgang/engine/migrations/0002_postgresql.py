# SPDX-License-Identifier: MPL-2.0
"""What only PostgreSQL has: the serial numbers in instance ids, and room in pages that are updated often."""

from django.db import migrations

FORWARDS = """
CREATE SEQUENCE engine_instance_serial CACHE 64;
ALTER TABLE engine_processinstance SET (fillfactor = 80);
ALTER TABLE engine_job SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE engine_timer SET (autovacuum_vacuum_scale_factor = 0.02);
"""
BACKWARDS = "DROP SEQUENCE engine_instance_serial;"


def forwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(FORWARDS)


def backwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(BACKWARDS)


class Migration(migrations.Migration):
    dependencies = [("engine", "0001_initial")]

    operations = [migrations.RunPython(forwards, backwards)]
