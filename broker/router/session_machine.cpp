#include "broker/router/session_machine.h"

#include <algorithm>

#include "broker/crypto/digest.h"

namespace flagpost::router {
namespace {

using schemas::Body;

BytesView bytes_of(const flatbuffers::Vector<std::uint8_t>* vector) {
    return vector == nullptr ? BytesView{} : BytesView{vector->data(), vector->size()};
}

std::string text_of(const flatbuffers::String* string) {
    return string == nullptr ? std::string{} : string->str();
}

Bytes goodbye_frame(const Refusal& why) {
    schemas::GoodbyeValue goodbye;
    goodbye.reason = static_cast<schemas::Reason>(why.reason);
    goodbye.where = why.where;
    return wire::pack_frame(std::move(goodbye));
}

/// The id of an envelope that is a sound FlatBuffer but breaks a rule of ours: its publisher can then be told
/// which of its messages will never be taken. Nothing when not even that can be read.
std::optional<Id16> id_of_refused(BytesView envelope) {
    flatbuffers::Verifier verifier(envelope.data(), envelope.size(), limits::flatbuffer_depth_max,
                                   limits::flatbuffer_tables_max);
    if (envelope.size() < 8 || !schemas::EnvelopeBufferHasIdentifier(envelope.data()) ||
        !schemas::VerifyEnvelopeBuffer(verifier))
        return std::nullopt;
    return exactly<16>(bytes_of(schemas::GetEnvelope(envelope.data())->id()));
}

std::vector<Digest> path_of(const schemas::Origin& origin) {
    std::vector<Digest> path;
    if (origin.path() == nullptr) return path;
    path.reserve(origin.path()->size());
    for (const auto* hash : *origin.path()) path.push_back(*exactly<32>(bytes_of(hash->bytes())));
    return path;
}

Attach attach_of(const schemas::Subscribe& subscribe) {
    Attach attach{subscribe.durable()->str(),
                  {},
                  std::min(subscribe.credit_messages(), limits::credit_messages_max),
                  std::min(subscribe.credit_bytes(), limits::credit_bytes_max)};
    for (const auto* topic : *subscribe.topics()) attach.topics.push_back(topic->str());
    return attach;
}

Ask ask_of(const schemas::Query& query) {
    return Ask{query.request(),
               query.kind(),
               query.level(),
               query.from(),
               query.width(),
               exactly<16>(bytes_of(query.id())),
               query.reference() == nullptr ? std::string{} : query.reference()->str(),
               text_of(query.scope()),
               text_of(query.reason()),
               exactly<32>(bytes_of(query.key()))};
}

}  // namespace

SessionMachine::SessionMachine(SpiffeId peer, const Parties& parties, Instant not_after, Now now)
    : peer_{std::move(peer)},
      parties_{parties},
      heard_{now.running},
      next_beat_{now.running + limits::heartbeat_interval},
      lease_end_{now.running + limits::session_lease},
      not_after_{not_after} {}

std::vector<Action> SessionMachine::receive(BytesView bytes, Now now) {
    std::vector<Action> actions;
    if (state_ == State::over) return actions;
    const auto frame = wire::read_frame(bytes);
    if (!frame) {
        turn_away(frame.error(), actions);
        return actions;
    }
    if (state_ != State::fresh) heard_ = now.running;  // before Hello only the hello time limit counts
    take(**frame, now.wall, actions);
    return actions;
}

void SessionMachine::take(const schemas::Frame& frame, Instant now, std::vector<Action>& actions) {
    const Body type = frame.body_type();
    if (state_ == State::fresh) {
        if (type != Body::Hello) return turn_away({Reason::out_of_order, "first frame: Hello"}, actions);
        return take_hello(*frame.body_as_Hello(), actions);
    }
    // Until Welcome the client has no window: what it sends before is a violation, not a race.
    if (state_ == State::greeted && type != Body::Goodbye && type != Body::Heartbeat)
        return turn_away({Reason::out_of_order, "before Welcome"}, actions);

    switch (type) {
        case Body::Publish:
            return take_publish(*frame.body_as_Publish(), now, actions);
        case Body::Subscribe:
            actions.emplace_back(attach_of(*frame.body_as_Subscribe()));
            return;
        case Body::Credit:
            actions.emplace_back(
                Grant{std::min(frame.body_as_Credit()->messages(), limits::credit_messages_max),
                      std::min(frame.body_as_Credit()->bytes(), limits::credit_bytes_max)});
            return;
        case Body::Acknowledge: {
            const auto* acknowledge = frame.body_as_Acknowledge();
            actions.emplace_back(Acknowledge{
                acknowledge->topic()->str(),
                {acknowledge->numbers()->begin(), acknowledge->numbers()->end()}
            });
            return;
        }
        case Body::Query:
            actions.emplace_back(ask_of(*frame.body_as_Query()));
            return;
        case Body::Cosign:
            actions.emplace_back(Cosign{frame.body_as_Cosign()->checkpoint()->str()});
            return;
        case Body::Heartbeat:
            return;
        case Body::Goodbye:
            state_ = State::over;
            actions.emplace_back(End{
                {Reason::none,      "peer said goodbye"},
                {                 }
            });
            return;
        default:
            return turn_away({Reason::out_of_order, "frame only the broker may send"}, actions);
    }
}

void SessionMachine::take_hello(const schemas::Hello& hello, std::vector<Action>& actions) {
    if (hello.version() != 1) return turn_away({Reason::unsupported_version, "hello.version"}, actions);
    state_ = State::greeted;
    actions.emplace_back(Open{hello.software()->str(), text_of(hello.checkpoint())});
}

// The order of the checks is that of their cost and of what they prove: structure, then the window, then the
// signature. Only what passes all of them reaches the exchange.
void SessionMachine::take_publish(const schemas::Publish& publish, Instant now,
                                  std::vector<Action>& actions) {
    Bytes bytes = copy(bytes_of(publish.envelope()));  // its own allocation: aligned for reading in place
    const auto envelope = wire::read_envelope(bytes);
    if (!envelope) {
        const auto id = id_of_refused(bytes);
        if (!id) return turn_away(envelope.error(), actions);
        actions.emplace_back(WriteDown{envelope.error(), {}, id});
        actions.emplace_back(Send{wire::refuse_frame(envelope.error(), id)});
        return;
    }
    if (unsettled_ >= limits::publish_window) {
        // Not written down: nothing was attempted that is not permitted, and a leaf each would be a gift to a flood.
        actions.emplace_back(Send{wire::refuse_frame({Reason::window_exceeded, "publish"}, envelope->id)});
        return;
    }
    if (const auto origin = check_origin(*publish.origin(), bytes, now); !origin) {
        actions.emplace_back(WriteDown{origin.error(), std::string{envelope->topic}, envelope->id});
        actions.emplace_back(Send{wire::refuse_frame(origin.error(), envelope->id)});
        return;
    }
    ++unsettled_;
    const Id16 id = envelope->id;
    const auto kind = envelope->kind;
    actions.emplace_back(Publish{id, std::move(bytes), wire::origin_bytes(*publish.origin()), kind});
}

Result<void> SessionMachine::check_origin(const schemas::Origin& origin, BytesView envelope, Instant now) {
    const Digest entry = log::leaf_hash(crypto::sha256(envelope));
    const auto path = path_of(origin);
    const BytesView signature = bytes_of(origin.signature());
    const bool known = newest_ && std::ranges::equal(newest_->signature, signature) &&
                       newest_->path.follow(origin.index(), origin.size(), entry, path);
    auto proven = known ? std::nullopt : log::ProvenPath::prove(origin.index(), origin.size(), entry, path);
    if (!known && !proven) return refuse(Reason::bad_signature, "publish.origin.path");

    const PartyKeys* keys = parties_.of(peer_.agency());
    const auto in_force = [&](const auto& key) { return key.holds(now); };
    if (keys == nullptr || std::ranges::none_of(keys->origin, in_force))
        return refuse(Reason::unknown_sender, "parties: no origin key in force");
    if (known) return {};
    if (auto good = check_signature(*keys, proven->root(), signature, now); !good) return good;
    newest_ = Checked{copy(signature), std::move(*proven)};
    return {};
}

Result<void> SessionMachine::check_signature(const PartyKeys& keys, const Digest& root, BytesView signature,
                                             Instant now) {
    const Digest checked = crypto::sha256({root, signature});
    if (std::ranges::find(verified_, checked) != verified_.end()) return {};
    const Bytes message = wire::origin_message(root);
    const bool signed_by_peer = std::ranges::any_of(
        keys.origin, [&](const auto& key) { return key.holds(now) && key.key.verify(message, signature); });
    if (!signed_by_peer) return refuse(Reason::bad_signature, "publish.origin.signature");

    if (verified_.size() < limits::signatures_remembered_max)
        verified_.push_back(checked);
    else
        verified_[next_verified_++ % verified_.size()] = checked;
    return {};
}

std::vector<Action> SessionMachine::tick(Now now) {
    std::vector<Action> actions;
    if (state_ == State::over) return actions;
    if (now.wall >= not_after_ || now.running >= lease_end_) {
        end({Reason::lease_over, "session"}, actions);
    } else if (state_ == State::fresh && now.running >= heard_ + limits::hello_time_max) {
        end({Reason::idle, "no Hello"}, actions);
    } else if (state_ != State::fresh && now.running >= heard_ + limits::dead_after) {
        end({Reason::idle, "no heartbeat"}, actions);
    } else if (state_ == State::open && now.running >= next_beat_) {
        next_beat_ = now.running + limits::heartbeat_interval;
        actions.emplace_back(Beat{});
    }
    return actions;
}

Running SessionMachine::due() const {
    if (state_ == State::over) return Running::max();
    const Running silent = heard_ + (state_ == State::fresh ? limits::hello_time_max : limits::dead_after);
    const Running soonest = std::min(silent, lease_end_);
    return state_ == State::open ? std::min(soonest, next_beat_) : soonest;
}

void SessionMachine::welcomed(Running now) {
    if (state_ != State::greeted) return;
    state_ = State::open;
    heard_ = std::max(heard_, now);
    next_beat_ = now + limits::heartbeat_interval;
}

void SessionMachine::settled() {
    if (unsettled_ > 0) --unsettled_;
}

void SessionMachine::end(Refusal why, std::vector<Action>& actions) {
    state_ = State::over;
    Bytes goodbye = goodbye_frame(why);
    actions.emplace_back(End{std::move(why), std::move(goodbye)});
}

void SessionMachine::turn_away(Refusal why, std::vector<Action>& actions) {
    actions.emplace_back(WriteDown{why, {}, std::nullopt});
    end(std::move(why), actions);
}

}  // namespace flagpost::router
