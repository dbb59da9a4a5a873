/// Session frames: foreign bytes to verified views, values to bytes. Meaning: schemas/README.md.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/core/clock.h"
#include "broker/core/limits.h"
#include "broker/core/result.h"
#include "frame_generated.h"

namespace flagpost::wire {

/// The frame in these bytes: file identifier, structure, bounds and fixed lengths checked. The pointer lives as
/// long as the bytes.
Result<const schemas::Frame*> read_frame(BytesView bytes);

/// An envelope, likewise. Lengths of id and salt, the topic's characters and all limits are checked; whether the
/// payload is what `kind` says is checked by read_table.
struct EnvelopeView {
    Id16 id;
    schemas::Kind kind;
    std::string_view topic;
    Instant created;
    BytesView payload;
    const schemas::Envelope* table;
};
Result<EnvelopeView> read_envelope(BytesView bytes);

/// A verified root table of type T, as payload or load record. `where` names it in the refusal.
template <class T> Result<const T*> read_table(BytesView bytes, const char* where) {
    if (bytes.size() > limits::payload_size_max) return refuse(Reason::too_large, where);
    flatbuffers::Verifier verifier(bytes.data(), bytes.size(), limits::flatbuffer_depth_max,
                                   limits::flatbuffer_tables_max);
    if (bytes.size() < 8 || !verifier.VerifyBuffer<T>(nullptr)) return refuse(Reason::malformed, where);
    return flatbuffers::GetRoot<T>(bytes.data());
}

/// A table of the object API as the bytes of its own FlatBuffer.
template <class T> Bytes pack(const typename T::NativeTableType& value) {
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(T::Pack(builder, &value));
    return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

/// A session frame around one body of the object API, such as HelloValue or ConfirmValue.
template <class Body> Bytes pack_frame(Body body) {
    schemas::FrameValue frame;
    frame.body.Set(std::move(body));
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(schemas::Frame::Pack(builder, &frame), schemas::FrameIdentifier());
    return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

/// What a publisher fills in; salt and id come from its Random.
struct Draft {
    schemas::Kind kind;
    std::string topic;
    std::string subject;
    std::string purpose;
    std::vector<std::string> legal_basis;
    std::optional<Id16> correlation;
    Bytes payload;
};
Bytes make_envelope(const Draft& draft, const Id16& id, const Id16& salt, Instant created);

// Hot frames, built without the object API.
Bytes publish_frame(BytesView envelope, const schemas::OriginValue& origin);
Bytes confirm_frame(const Id16& id, bool already, std::uint64_t index, const Digest& leaf, std::uint64_t size,
                    const Digest& root);
Bytes deliver_frame(std::string_view topic, std::uint64_t number, std::uint32_t attempt, std::uint64_t index,
                    BytesView envelope);
Bytes acknowledge_frame(std::string_view topic, const std::vector<std::uint64_t>& numbers);
Bytes refuse_frame(const Refusal& refusal, const std::optional<Id16>& id = {}, std::uint32_t request = 0,
                   std::uint32_t retry_after_ms = 0);

/// An origin, verified with the frame it came in, as the bytes of its own FlatBuffer.
Bytes origin_bytes(const schemas::Origin& origin);

/// What an origin signature covers: "flagpost-origin/1\n" and the root.
Bytes origin_message(const Digest& root);

}  // namespace flagpost::wire
