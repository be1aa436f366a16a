//! MS-XCCOSIP: payloads, requirements, rules, and both peers' models.
