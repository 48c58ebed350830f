"""The single row of the switch that stops all issuing."""

from django.db import migrations


def make_row(apps, schema_editor):
    apps.get_model("compensation", "IssuingControl").objects.get_or_create(id=1)


class Migration(migrations.Migration):
    dependencies = [("compensation", "0002_initial")]
    operations = [migrations.RunPython(make_row, migrations.RunPython.noop)]
