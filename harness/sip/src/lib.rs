//! SIP with its exact bytes: framing, transactions, dialogs and the TCP/TLS edge.
