//! CRC-64/Jones, the checksum at the end of a DUMP payload.
