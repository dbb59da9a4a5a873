#include "broker/exchange/body.h"

#include <stdexcept>

#include "broker/core/limits.h"

namespace flagpost::exchange {
namespace {

using Builder = flatbuffers::FlatBufferBuilder;

Bytes finished(Builder& builder, flatbuffers::Offset<schemas::RecordBody> root) {
    builder.Finish(root, schemas::RecordBodyIdentifier());
    return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

// Envelopes are read in place, so they are aligned as their own 64-bit fields need it.
flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> put_aligned(Builder& builder, BytesView bytes) {
    builder.ForceVectorAlignment(bytes.size(), 1, 8);
    return builder.CreateVector(bytes.data(), bytes.size());
}

template <class Facts> Bytes received_with(const Received& received, Facts&& facts) {
    Builder builder(received.envelope.size() + received.origin.size() + 512);
    const auto envelope = put_aligned(builder, received.envelope);
    const auto origin = put_aligned(builder, received.origin);
    const auto agency = builder.CreateString(received.agency);
    const auto add_facts = facts(builder);
    schemas::RecordBodyBuilder body(builder);
    body.add_at_us(to_us(received.at));
    body.add_agency(agency);
    body.add_envelope(envelope);
    body.add_origin(origin);
    add_facts(body);
    return finished(builder, body.Finish());
}

}  // namespace

const schemas::RecordBody& read_body(BytesView bytes) {
    // A decision explains every candidate: more tables than a message may have, and not from a stranger.
    flatbuffers::Verifier verifier(bytes.data(), bytes.size(), limits::flatbuffer_depth_max,
                                   limits::body_tables_max);
    if (bytes.size() < 8 || !schemas::VerifyRecordBodyBuffer(verifier))
        throw std::runtime_error{"a stored body is damaged"};
    return *schemas::GetRecordBody(bytes.data());
}

Bytes pack_body(const schemas::RecordBodyValue& body) {
    Builder builder;
    return finished(builder, schemas::RecordBody::Pack(builder, &body));
}

Bytes received_item(const Received& received, std::string_view topic, std::uint64_t number) {
    return received_with(received, [&](Builder& builder) {
        const auto item = schemas::CreateMailboxItem(builder, builder.CreateString(topic), number);
        return [item](schemas::RecordBodyBuilder& body) { body.add_item(item); };
    });
}

Bytes received_incident(const Received& received, std::string_view force, std::string_view reference,
                        std::uint32_t version) {
    return received_with(received, [&](Builder& builder) {
        const auto incident = schemas::CreateIncidentFacts(builder, builder.CreateString(force),
                                                           builder.CreateString(reference), version);
        return [incident](schemas::RecordBodyBuilder& body) { body.add_incident(incident); };
    });
}

Bytes received_other(const Received& received, schemas::RecordBodyValue facts) {
    facts.at_us = to_us(received.at);
    facts.agency = received.agency;
    facts.envelope.assign(received.envelope.begin(), received.envelope.end());
    facts.origin.assign(received.origin.begin(), received.origin.end());
    return pack_body(facts);
}

Id16 id_of(const flatbuffers::Vector<std::uint8_t>* vector) {
    const auto id = exactly<16>(bytes_of(vector));
    if (!id) throw std::runtime_error{"a stored body is damaged: an id"};
    return *id;
}

}  // namespace flagpost::exchange
