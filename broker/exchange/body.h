/// Bodies of records: schemas/record.fbs to and from bytes.
#pragma once

#include <string_view>

#include "broker/core/bytes.h"
#include "broker/core/clock.h"
#include "record_generated.h"

namespace flagpost::exchange {

/// Throws std::runtime_error: only our own bodies come here, and damage must not pass for data.
const schemas::RecordBody& read_body(BytesView bytes);

Bytes pack_body(const schemas::RecordBodyValue& body);

/// The body of a message as it was received. Made without the object API: most records are this.
struct Received {
    Instant at;
    std::string_view agency;
    BytesView envelope;
    BytesView origin;
};
Bytes received_item(const Received& received, std::string_view topic, std::uint64_t number);
Bytes received_incident(const Received& received, std::string_view force, std::string_view reference,
                        std::uint32_t version);
/// Any other message: `facts` says what it is.
Bytes received_other(const Received& received, schemas::RecordBodyValue facts);

inline BytesView bytes_of(const flatbuffers::Vector<std::uint8_t>* vector) {
    return vector == nullptr ? BytesView{} : BytesView{vector->data(), vector->size()};
}
/// A field that holds an id. Throws std::runtime_error if it does not.
Id16 id_of(const flatbuffers::Vector<std::uint8_t>* vector);

}  // namespace flagpost::exchange
