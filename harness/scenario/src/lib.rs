//! Scenarios in YAML: language, plan, player.
