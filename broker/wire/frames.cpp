#include "broker/wire/frames.h"

#include <algorithm>
#include <array>

namespace flagpost::wire {
namespace {

using schemas::Body;

BytesView bytes_of(const flatbuffers::Vector<std::uint8_t>* vector) {
    return vector == nullptr ? BytesView{} : BytesView{vector->data(), vector->size()};
}

std::size_t size_of(const flatbuffers::String* string) { return string == nullptr ? 0 : string->size(); }

template <class Vector> std::size_t count_of(const Vector* vector) {
    return vector == nullptr ? 0 : vector->size();
}

bool all_digests(const flatbuffers::Vector<flatbuffers::Offset<schemas::Hash>>* hashes) {
    if (hashes == nullptr) return true;
    return std::all_of(hashes->begin(), hashes->end(),
                       [](const schemas::Hash* hash) { return hash->bytes()->size() == 32; });
}

bool well_formed_topic(std::string_view topic) {
    return !topic.empty() && topic.size() <= limits::topic_size_max && std::ranges::all_of(topic, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
               c == '-' || c == '.';
    });
}

// Bounds the verifier does not know: fixed lengths and counts.
std::optional<Refusal> fault_in(const schemas::Publish& publish) {
    const auto* origin = publish.origin();
    if (origin->signature()->size() < 8 || origin->signature()->size() > 80)
        return Refusal{Reason::malformed, "publish.origin.signature"};
    if (origin->size() < 1 || origin->size() > limits::origin_batch_max || origin->index() >= origin->size())
        return Refusal{Reason::malformed, "publish.origin.index"};
    if (count_of(origin->path()) > limits::origin_path_max || !all_digests(origin->path()))
        return Refusal{Reason::malformed, "publish.origin.path"};
    return std::nullopt;
}

std::optional<Refusal> fault_in(const schemas::Hello& hello) {
    if (size_of(hello.software()) > limits::name_size_max)
        return Refusal{Reason::too_large, "hello.software"};
    if (size_of(hello.checkpoint()) > 64 * 1024) return Refusal{Reason::too_large, "hello.checkpoint"};
    return std::nullopt;
}

std::optional<Refusal> fault_in(const schemas::Subscribe& subscribe) {
    if (size_of(subscribe.durable()) == 0 || size_of(subscribe.durable()) > limits::name_size_max)
        return Refusal{Reason::malformed, "subscribe.durable"};
    if (count_of(subscribe.topics()) == 0 || count_of(subscribe.topics()) > limits::topics_per_session_max)
        return Refusal{Reason::malformed, "subscribe.topics"};
    for (const auto* topic : *subscribe.topics())
        if (!well_formed_topic(topic->string_view())) return Refusal{Reason::malformed, "subscribe.topics"};
    return std::nullopt;
}

std::optional<Refusal> fault_in(const schemas::Acknowledge& acknowledge) {
    if (!well_formed_topic(acknowledge.topic()->string_view()))
        return Refusal{Reason::malformed, "acknowledge.topic"};
    if (acknowledge.numbers()->size() > limits::acknowledged_at_once_max)
        return Refusal{Reason::too_large, "acknowledge.numbers"};
    return std::nullopt;
}

std::optional<Refusal> fault_in(const schemas::Frame& frame) {
    switch (frame.body_type()) {
        case Body::Hello:
            return fault_in(*frame.body_as_Hello());
        case Body::Publish:
            return fault_in(*frame.body_as_Publish());
        case Body::Subscribe:
            return fault_in(*frame.body_as_Subscribe());
        case Body::Acknowledge:
            return fault_in(*frame.body_as_Acknowledge());
        case Body::Welcome:
            if (frame.body_as_Welcome()->session()->size() != 16)
                return Refusal{Reason::malformed, "welcome.session"};
            if (!all_digests(frame.body_as_Welcome()->consistency()))
                return Refusal{Reason::malformed, "welcome.consistency"};
            return std::nullopt;
        case Body::Confirm: {
            const auto* confirm = frame.body_as_Confirm();
            if (confirm->id()->size() != 16 || confirm->leaf()->size() != 32 || confirm->root()->size() != 32)
                return Refusal{Reason::malformed, "confirm"};
            return std::nullopt;
        }
        case Body::Refuse:
            if (const auto* id = frame.body_as_Refuse()->id(); id != nullptr && id->size() != 16)
                return Refusal{Reason::malformed, "refuse.id"};
            return std::nullopt;
        case Body::Deliver:
            if (!well_formed_topic(frame.body_as_Deliver()->topic()->string_view()))
                return Refusal{Reason::malformed, "deliver.topic"};
            return std::nullopt;
        case Body::Heartbeat:
            if (!all_digests(frame.body_as_Heartbeat()->consistency()))
                return Refusal{Reason::malformed, "heartbeat.consistency"};
            return std::nullopt;
        case Body::Goodbye:
            if (!all_digests(frame.body_as_Goodbye()->consistency()))
                return Refusal{Reason::malformed, "goodbye.consistency"};
            return std::nullopt;
        case Body::Query:
            if (const auto* id = frame.body_as_Query()->id(); id != nullptr && id->size() != 16)
                return Refusal{Reason::malformed, "query.id"};
            if (const auto* key = frame.body_as_Query()->key(); key != nullptr && key->size() != 32)
                return Refusal{Reason::malformed, "query.key"};
            if (size_of(frame.body_as_Query()->scope()) > limits::topic_size_max)
                return Refusal{Reason::too_large, "query.scope"};
            if (size_of(frame.body_as_Query()->reason()) > limits::name_size_max)
                return Refusal{Reason::too_large, "query.reason"};
            return std::nullopt;
        case Body::NONE:
            return Refusal{Reason::malformed, "frame.body"};
        default:
            return std::nullopt;
    }
}

Bytes finish(flatbuffers::FlatBufferBuilder& builder, Body type, flatbuffers::Offset<void> body) {
    builder.Finish(schemas::CreateFrame(builder, type, body), schemas::FrameIdentifier());
    return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> put(flatbuffers::FlatBufferBuilder& builder,
                                                           BytesView bytes) {
    return builder.CreateVector(bytes.data(), bytes.size());
}

}  // namespace

Result<const schemas::Frame*> read_frame(BytesView bytes) {
    if (bytes.size() > limits::frame_size_max) return refuse(Reason::too_large, "frame");
    if (bytes.size() < 8 || !flatbuffers::BufferHasIdentifier(bytes.data(), schemas::FrameIdentifier()))
        return refuse(Reason::malformed, "frame: not a Flagpost frame");
    flatbuffers::Verifier verifier(bytes.data(), bytes.size(), limits::flatbuffer_depth_max,
                                   limits::flatbuffer_tables_max);
    if (!schemas::VerifyFrameBuffer(verifier)) return refuse(Reason::malformed, "frame");
    const auto* frame = schemas::GetFrame(bytes.data());
    // A body of a type not known here passes the verifier, which cannot look into it.
    if (frame->body_type() > Body::MAX) return refuse(Reason::malformed, "frame.body");
    if (auto fault = fault_in(*frame)) return tl::unexpected<Refusal>{std::move(*fault)};
    return frame;
}

Result<EnvelopeView> read_envelope(BytesView bytes) {
    if (bytes.size() > limits::frame_size_max) return refuse(Reason::too_large, "envelope");
    if (bytes.size() < 8 || !schemas::EnvelopeBufferHasIdentifier(bytes.data()))
        return refuse(Reason::malformed, "envelope: identifier");
    flatbuffers::Verifier verifier(bytes.data(), bytes.size(), limits::flatbuffer_depth_max,
                                   limits::flatbuffer_tables_max);
    if (!schemas::VerifyEnvelopeBuffer(verifier)) return refuse(Reason::malformed, "envelope");
    const auto* envelope = schemas::GetEnvelope(bytes.data());
    const auto id = exactly<16>(bytes_of(envelope->id()));
    if (!id) return refuse(Reason::malformed, "envelope.id");
    if (bytes_of(envelope->salt()).size() != 16) return refuse(Reason::malformed, "envelope.salt");
    if (!well_formed_topic(envelope->topic()->string_view()))
        return refuse(Reason::malformed, "envelope.topic");
    if (size_of(envelope->subject()) > limits::name_size_max)
        return refuse(Reason::too_large, "envelope.subject");
    if (size_of(envelope->purpose()) > limits::name_size_max)
        return refuse(Reason::too_large, "envelope.purpose");
    if (count_of(envelope->legal_basis()) > 16) return refuse(Reason::too_large, "envelope.legal_basis");
    if (envelope->legal_basis() != nullptr)
        for (const auto* code : *envelope->legal_basis())
            if (code->size() > limits::name_size_max)
                return refuse(Reason::too_large, "envelope.legal_basis");
    if (envelope->correlation() != nullptr && envelope->correlation()->size() != 16)
        return refuse(Reason::malformed, "envelope.correlation");
    const auto payload = bytes_of(envelope->payload());
    if (payload.size() > limits::payload_size_max) return refuse(Reason::too_large, "envelope.payload");
    return EnvelopeView{
        *id,     envelope->kind(), envelope->topic()->string_view(), from_us(envelope->created_us()),
        payload, envelope};
}

Bytes make_envelope(const Draft& draft, const Id16& id, const Id16& salt, Instant created) {
    flatbuffers::FlatBufferBuilder builder(draft.payload.size() + 512);
    // Nested buffers hold 64-bit fields: align them so that they can be read in place.
    builder.ForceVectorAlignment(draft.payload.size(), 1, 8);
    const auto payload = put(builder, draft.payload);
    const auto id_at = put(builder, id);
    const auto topic = builder.CreateString(draft.topic);
    const auto salt_at = put(builder, salt);
    const auto subject = draft.subject.empty() ? 0 : builder.CreateString(draft.subject);
    const auto purpose = draft.purpose.empty() ? 0 : builder.CreateString(draft.purpose);
    const auto basis = draft.legal_basis.empty() ? 0 : builder.CreateVectorOfStrings(draft.legal_basis);
    const auto correlation = draft.correlation ? put(builder, *draft.correlation) : 0;
    schemas::EnvelopeBuilder envelope(builder);
    envelope.add_id(id_at);
    envelope.add_kind(draft.kind);
    envelope.add_topic(topic);
    envelope.add_created_us(to_us(created));
    envelope.add_salt(salt_at);
    envelope.add_subject(subject);
    envelope.add_purpose(purpose);
    envelope.add_legal_basis(basis);
    envelope.add_correlation(correlation);
    envelope.add_payload(payload);
    builder.Finish(envelope.Finish(), schemas::EnvelopeIdentifier());
    return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

Bytes publish_frame(BytesView envelope, const schemas::OriginValue& origin) {
    flatbuffers::FlatBufferBuilder builder(envelope.size() + 1024);
    builder.ForceVectorAlignment(envelope.size(), 1, 8);
    const auto envelope_at = put(builder, envelope);
    const auto publish =
        schemas::CreatePublish(builder, envelope_at, schemas::Origin::Pack(builder, &origin));
    return finish(builder, Body::Publish, publish.Union());
}

Bytes confirm_frame(const Id16& id, bool already, std::uint64_t index, const Digest& leaf, std::uint64_t size,
                    const Digest& root) {
    flatbuffers::FlatBufferBuilder builder(256);
    const auto id_at = put(builder, id);
    const auto leaf_at = put(builder, leaf);
    const auto root_at = put(builder, root);
    const auto outcome = already ? schemas::Recorded::already_recorded : schemas::Recorded::recorded;
    return finish(builder, Body::Confirm,
                  schemas::CreateConfirm(builder, id_at, outcome, index, leaf_at, size, root_at).Union());
}

Bytes deliver_frame(std::string_view topic, std::uint64_t number, std::uint32_t attempt, std::uint64_t index,
                    BytesView envelope) {
    flatbuffers::FlatBufferBuilder builder(envelope.size() + 256);
    builder.ForceVectorAlignment(envelope.size(), 1, 8);
    const auto envelope_at = put(builder, envelope);
    const auto topic_at = builder.CreateString(topic);
    return finish(builder, Body::Deliver,
                  schemas::CreateDeliver(builder, topic_at, number, attempt, index, envelope_at).Union());
}

Bytes acknowledge_frame(std::string_view topic, const std::vector<std::uint64_t>& numbers) {
    flatbuffers::FlatBufferBuilder builder(128 + numbers.size() * 8);
    const auto topic_at = builder.CreateString(topic);
    const auto numbers_at = builder.CreateVector(numbers);
    return finish(builder, Body::Acknowledge,
                  schemas::CreateAcknowledge(builder, topic_at, numbers_at).Union());
}

Bytes refuse_frame(const Refusal& refusal, const std::optional<Id16>& id, std::uint32_t request,
                   std::uint32_t retry_after_ms) {
    schemas::RefuseValue body;
    body.reason = static_cast<schemas::Reason>(refusal.reason);
    body.where = refusal.where;
    if (id) body.id.assign(id->begin(), id->end());
    body.request = request;
    body.retry_after_ms = retry_after_ms;
    return pack_frame(std::move(body));
}

Bytes origin_bytes(const schemas::Origin& origin) {
    flatbuffers::FlatBufferBuilder builder(512);
    std::array<flatbuffers::Offset<schemas::Hash>, limits::origin_path_max> path;
    std::size_t length = 0;
    if (origin.path() != nullptr)
        for (const auto* hash : *origin.path())
            path.at(length++) = schemas::CreateHash(builder, put(builder, bytes_of(hash->bytes())));
    const auto path_at = length == 0 ? 0 : builder.CreateVector(path.data(), length);
    const auto signature_at = put(builder, bytes_of(origin.signature()));
    builder.Finish(schemas::CreateOrigin(builder, signature_at, origin.index(), origin.size(), path_at));
    return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

Bytes origin_message(const Digest& root) {
    static constexpr std::string_view label = "flagpost-origin/1\n";
    Bytes message = copy(view(label));
    message.insert(message.end(), root.begin(), root.end());
    return message;
}

}  // namespace flagpost::wire
