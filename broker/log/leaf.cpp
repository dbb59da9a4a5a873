#include "broker/log/leaf.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "broker/core/limits.h"

namespace flagpost::log {
namespace {

constexpr auto no_relation = std::numeric_limits<std::uint64_t>::max();

using Builder = flatbuffers::FlatBufferBuilder;
using BytesOffset = flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>>;
using TextOffset = flatbuffers::Offset<flatbuffers::String>;

TextOffset put(Builder& builder, const std::string& text) {
    if (text.size() > limits::leaf_text_size_max)
        throw std::length_error{"a text of a leaf is longer than its limit"};
    return text.empty() ? TextOffset{} : builder.CreateString(text);
}

template <std::size_t N>
BytesOffset put(Builder& builder, const std::optional<std::array<std::uint8_t, N>>& bytes) {
    return bytes ? builder.CreateVector(bytes->data(), N) : BytesOffset{};
}

flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<schemas::Mac>>> put(
    Builder& builder, const std::vector<Id16>& subjects) {
    if (subjects.size() > limits::leaf_subjects_max)
        throw std::length_error{"a leaf names more subjects than its limit"};
    if (subjects.empty()) return {};
    std::vector<flatbuffers::Offset<schemas::Mac>> macs;
    macs.reserve(subjects.size());
    for (const auto& subject : subjects)
        macs.push_back(schemas::CreateMac(builder, builder.CreateVector(subject.data(), subject.size())));
    return builder.CreateVector(macs);
}

flatbuffers::Offset<flatbuffers::Vector<TextOffset>> put(Builder& builder,
                                                         const std::vector<std::string>& codes) {
    if (codes.size() > limits::leaf_legal_basis_max)
        throw std::length_error{"a leaf names more legal bases than its limit"};
    if (codes.empty()) return {};
    std::vector<TextOffset> offsets;
    offsets.reserve(codes.size());
    for (const auto& code : codes) {
        if (code.size() > limits::leaf_text_size_max)
            throw std::length_error{"a text of a leaf is longer than its limit"};
        offsets.push_back(builder.CreateString(code));
    }
    return builder.CreateVector(offsets);
}

flatbuffers::Offset<flatbuffers::Vector<const schemas::IndexRange*>> put(
    Builder& builder, const std::vector<IndexRange>& ranges) {
    if (ranges.empty()) return {};
    std::vector<schemas::IndexRange> structs;
    structs.reserve(ranges.size());
    for (const auto& range : ranges) structs.emplace_back(range.first, range.last);
    return builder.CreateVectorOfStructs(structs);
}

/// Copies fields out of the verified table one by one; the first fault is kept.
class Reading {
public:
    void text(const flatbuffers::String* from, std::string& to, const char* where) {
        if (from == nullptr) return;
        if (from->size() > limits::leaf_text_size_max)
            fault(Reason::too_large, where);
        else
            to = from->str();
    }

    template <std::size_t N> void bytes(const flatbuffers::Vector<std::uint8_t>* from,
                                        std::optional<std::array<std::uint8_t, N>>& to, const char* where) {
        if (from == nullptr) return;
        to = exactly<N>(BytesView{from->data(), from->size()});
        if (!to) fault(Reason::malformed, where);
    }

    void subjects(const flatbuffers::Vector<flatbuffers::Offset<schemas::Mac>>* from, std::vector<Id16>& to) {
        if (from == nullptr) return;
        if (from->size() > limits::leaf_subjects_max) return fault(Reason::too_large, "leaf.subjects");
        for (const auto* mac : *from) {
            const auto subject = exactly<16>(BytesView{mac->bytes()->data(), mac->bytes()->size()});
            if (!subject) return fault(Reason::malformed, "leaf.subjects");
            to.push_back(*subject);
        }
    }

    void codes(const flatbuffers::Vector<TextOffset>* from, std::vector<std::string>& to) {
        if (from == nullptr) return;
        if (from->size() > limits::leaf_legal_basis_max) return fault(Reason::too_large, "leaf.legal_basis");
        for (const auto* code : *from) text(code, to.emplace_back(), "leaf.legal_basis");
    }

    void ranges(const flatbuffers::Vector<const schemas::IndexRange*>* from, std::vector<IndexRange>& to,
                std::uint64_t below) {
        if (from == nullptr) return;
        for (const auto* range : *from) {
            const IndexRange next{range->first(), range->last()};
            const bool apart = to.empty() || next.first > to.back().last + 1;
            if (!apart || next.first > next.last || next.last >= below)
                return fault(Reason::invalid_value, "leaf.erased");
            to.push_back(next);
        }
    }

    const std::optional<Refusal>& refusal() const { return refusal_; }

private:
    void fault(Reason reason, const char* where) {
        if (!refusal_) refusal_ = Refusal{reason, where};
    }
    std::optional<Refusal> refusal_;
};

}  // namespace

std::vector<IndexRange> to_ranges(std::vector<std::uint64_t> indexes) {
    std::ranges::sort(indexes);
    std::vector<IndexRange> ranges;
    for (const auto index : indexes) {
        if (ranges.empty() || index > ranges.back().last + 1)
            ranges.push_back({index, index});
        else
            ranges.back().last = index;
    }
    return ranges;
}

Bytes encode(const Leaf& leaf) {
    Builder builder(512);
    const auto actor = put(builder, leaf.actor);
    const auto certificate = put(builder, leaf.certificate);
    const auto user = put(builder, leaf.user);
    const auto recipient = put(builder, leaf.recipient);
    const auto session = put(builder, leaf.session);
    const auto topic = put(builder, leaf.topic);
    const auto message = put(builder, leaf.message);
    const auto subjects = put(builder, leaf.subjects);
    const auto body = put(builder, leaf.body);
    const auto agreement = put(builder, leaf.agreement);
    const auto rule = put(builder, leaf.rule);
    const auto purpose = put(builder, leaf.purpose);
    const auto legal_basis = put(builder, leaf.legal_basis);
    const auto outcome = put(builder, leaf.outcome);
    const auto engine = put(builder, leaf.engine);
    const auto erased = put(builder, leaf.erased);
    const auto setting = put(builder, leaf.setting);

    schemas::LeafBuilder table(builder);
    table.add_related(leaf.related.value_or(no_relation));
    table.add_number(leaf.number);
    // Place and time are always there, so every leaf is a multiple of eight bytes long and no cut goes unseen.
    builder.ForceDefaults(true);
    table.add_index(leaf.index);
    table.add_time_us(to_us(leaf.time));
    builder.ForceDefaults(false);
    table.add_candidates(leaf.candidates);
    table.add_actor(actor);
    table.add_certificate(certificate);
    table.add_user(user);
    table.add_recipient(recipient);
    table.add_session(session);
    table.add_topic(topic);
    table.add_message(message);
    table.add_subjects(subjects);
    table.add_body(body);
    table.add_agreement(agreement);
    table.add_rule(rule);
    table.add_purpose(purpose);
    table.add_legal_basis(legal_basis);
    table.add_outcome(outcome);
    table.add_engine(engine);
    table.add_erased(erased);
    table.add_setting(setting);
    table.add_kind(leaf.kind);
    table.add_operation(leaf.operation);
    schemas::FinishLeafBuffer(builder, table.Finish());
    if (builder.GetSize() > limits::leaf_size_max) throw std::length_error{"a leaf is longer than its limit"};
    return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

Result<Leaf> decode_leaf(BytesView bytes) {
    if (bytes.size() > limits::leaf_size_max) return refuse(Reason::too_large, "leaf");
    if (bytes.size() < 8 || bytes.size() % 8 != 0 || !schemas::LeafBufferHasIdentifier(bytes.data()))
        return refuse(Reason::malformed, "leaf: not a Flagpost leaf");
    flatbuffers::Verifier verifier(bytes.data(), bytes.size(), limits::flatbuffer_depth_max,
                                   1 + limits::leaf_subjects_max);
    if (!schemas::VerifyLeafBuffer(verifier)) return refuse(Reason::malformed, "leaf");
    const auto& table = *schemas::GetLeaf(bytes.data());
    if (table.version() != 1) return refuse(Reason::unsupported_version, "leaf.version");
    if (table.kind() == LeafKind::none || table.kind() > LeafKind::MAX)
        return refuse(Reason::invalid_value, "leaf.kind");
    if (table.operation() > Operation::MAX) return refuse(Reason::invalid_value, "leaf.operation");

    Leaf leaf;
    leaf.kind = table.kind();
    leaf.operation = table.operation();
    leaf.index = table.index();
    leaf.time = from_us(table.time_us());
    leaf.number = table.number();
    leaf.candidates = table.candidates();
    if (table.related() != no_relation) leaf.related = table.related();
    Reading reading;
    reading.text(table.actor(), leaf.actor, "leaf.actor");
    reading.bytes(table.certificate(), leaf.certificate, "leaf.certificate");
    reading.bytes(table.user(), leaf.user, "leaf.user");
    reading.text(table.recipient(), leaf.recipient, "leaf.recipient");
    reading.bytes(table.session(), leaf.session, "leaf.session");
    reading.text(table.topic(), leaf.topic, "leaf.topic");
    reading.bytes(table.message(), leaf.message, "leaf.message");
    reading.subjects(table.subjects(), leaf.subjects);
    reading.bytes(table.body(), leaf.body, "leaf.body");
    reading.bytes(table.agreement(), leaf.agreement, "leaf.agreement");
    reading.text(table.rule(), leaf.rule, "leaf.rule");
    reading.text(table.purpose(), leaf.purpose, "leaf.purpose");
    reading.codes(table.legal_basis(), leaf.legal_basis);
    reading.text(table.outcome(), leaf.outcome, "leaf.outcome");
    reading.bytes(table.engine(), leaf.engine, "leaf.engine");
    reading.ranges(table.erased(), leaf.erased, leaf.index);
    reading.bytes(table.setting(), leaf.setting, "leaf.setting");
    if (reading.refusal()) return tl::unexpected{*reading.refusal()};
    return leaf;
}

}  // namespace flagpost::log
