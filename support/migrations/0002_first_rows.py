"""The rows that the desk cannot be without: a queue, the weights, some words; numbers from 10001."""

from django.db import migrations

WORDS = {
    "en": {
        "unacceptable": -60, "angry": -50, "furious": -80, "ridiculous": -50, "disappointed": -40,
        "cancel": -60, "lawyer": -80, "refund": -30, "urgent": -50, "asap": -40, "immediately": -40,
        "losing money": -70, "worst": -60, "outage": -20, "down": -20, "not working": -20,
        "emergency": -70, "thank you": 30, "thanks": 20, "great": 20, "no hurry": 40,
    },
    "de": {
        "inakzeptabel": -60, "unzumutbar": -60, "wütend": -70, "frechheit": -70, "enttäuscht": -40,
        "kündigen": -60, "kündigung": -60, "anwalt": -80, "erstattung": -30, "dringend": -50,
        "sofort": -40, "ausfall": -20, "störung": -20, "notfall": -70, "geht nicht": -20,
        "schadenersatz": -60, "danke": 30, "vielen dank": 30, "kein stress": 40,
    },
    "ru": {
        "неприемлемо": -60, "возмутительно": -70, "ужасно": -60, "разочарован": -40,
        "расторгнуть": -60, "юрист": -80, "суд": -70, "возврат": -30, "срочно": -50,
        "немедленно": -40, "не работает": -20, "сбой": -20, "спасибо": 30,
    },
}  # fmt: skip


def make(apps, schema_editor):
    apps.get_model("support", "Queue").objects.create(
        name="General", slug="general", is_default=True
    )
    apps.get_model("support", "PrioritySetting").objects.create(id=1)
    word = apps.get_model("support", "PriorityWord")
    word.objects.bulk_create(
        word(language=language, word=text, points=points)
        for language, words in WORDS.items()
        for text, points in words.items()
    )


class Migration(migrations.Migration):
    dependencies = [("support", "0001_desk")]
    operations = [
        migrations.RunPython(make, migrations.RunPython.noop),
        migrations.RunSQL(
            "SELECT setval(pg_get_serial_sequence('support_ticket', 'id'), 10001, false)",
            migrations.RunSQL.noop,
        ),
    ]
