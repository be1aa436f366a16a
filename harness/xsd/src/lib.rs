//! XSD 1.0 validation of roxmltree documents, with positions.
