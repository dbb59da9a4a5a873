#include "adapters/client/session_machine.h"

#include <algorithm>
#include <iterator>

#include "broker/crypto/digest.h"
#include "broker/log/merkle.h"

namespace flagpost::client {
namespace {

using schemas::Body;

constexpr std::chrono::milliseconds heartbeat_min{1'000};

std::string describe(const char* before, schemas::Reason reason, const flatbuffers::String* where) {
    std::string what = std::string{before} + std::string{name(static_cast<Reason>(reason))};
    if (where != nullptr && where->size() > 0) what += " (" + where->str() + ")";
    return what;
}

/// The head was verified under the log's key before it was remembered: whoever denies it now has another log.
bool denies_our_head(schemas::Reason reason, const flatbuffers::String* where) {
    return reason == schemas::Reason::not_consistent ||
           (reason == schemas::Reason::bad_signature && where != nullptr &&
            where->string_view().starts_with("hello.checkpoint"));
}

Refusal refusal_of(const schemas::Refuse& refuse) {
    return {static_cast<Reason>(refuse.reason()), refuse.where() == nullptr ? "" : refuse.where()->str()};
}

/// Refusals that say nothing about the message itself: the same bytes may be taken a little later.
bool may_be_sent_again(schemas::Reason reason) {
    return reason == schemas::Reason::busy || reason == schemas::Reason::storage_low ||
           reason == schemas::Reason::window_exceeded || reason == schemas::Reason::shutting_down;
}

std::chrono::milliseconds retry_delay(const schemas::Refuse& refuse) {
    const std::chrono::milliseconds asked{refuse.retry_after_ms()};
    return asked.count() == 0 ? retry_after_default : std::min(asked, retry_after_max);
}

/// Versions of one incident, parts of one load: what has to arrive in the order it was made.
std::string line_of(const wire::EnvelopeView& envelope) {
    const auto* subject = envelope.table->subject();
    if (subject == nullptr || subject->size() == 0) return {};
    return std::string{envelope.topic} + '\n' + subject->str();
}

/// Of a Welcome, a Heartbeat or a Goodbye.
template <class Shown> std::vector<Digest> proof_of(const Shown& shown) {
    std::vector<Digest> proof;
    if (shown.consistency() != nullptr)
        for (const auto* hash : *shown.consistency())
            proof.push_back(*exactly<32>({hash->bytes()->data(), hash->bytes()->size()}));
    return proof;
}

/// Both heads and the proof between them, for whoever has to find out what happened.
std::string evidence_of(const std::string& remembered, const std::string& received,
                        const std::vector<Digest>& proof) {
    std::string evidence = "remembered:\n" + remembered + "\nreceived:\n" + received + "\nproof:\n";
    for (const Digest& hash : proof) evidence += to_base64(hash) + "\n";
    return evidence;
}

Bytes cosign_frame(std::string note) {
    schemas::CosignValue cosign;
    cosign.checkpoint = std::move(note);
    return wire::pack_frame(std::move(cosign));
}

Bytes cosign_frame(std::string_view note, const Witness& witness, Instant now) {
    auto signed_note = log::SignedNote::parse(note).value();
    signed_note.signatures.push_back(log::cosign_note(signed_note.text, witness.name, witness.key, now));
    return cosign_frame(signed_note.format());
}

}  // namespace

SessionMachine::SessionMachine(SessionSettings settings, const crypto::OriginKey& origin, Instant now)
    : settings_{std::move(settings)},
      origin_{origin},
      latest_{now},
      heard_{now},
      heartbeat_due_{now},
      promised_{settings_.promise},
      newest_promise_{settings_.promise} {
    if (const auto head = log::open_checkpoint(settings_.checkpoint.value_or(""), settings_.log))
        head_ = *head;
}

Instant SessionMachine::forward(Instant now) { return latest_ = std::max(latest_, now); }

Actions SessionMachine::start(Instant now) {
    heard_ = forward(now);
    schemas::HelloValue hello;
    hello.version = 1;
    hello.software = settings_.software;
    hello.checkpoint = settings_.checkpoint.value_or("");
    Actions actions;
    actions.push_back(Send{wire::pack_frame(std::move(hello))});
    return actions;
}

Actions SessionMachine::receive(BytesView bytes, Instant now) {
    Actions actions;
    if (ended_) return actions;
    heard_ = forward(now);
    const auto frame = wire::read_frame(bytes);
    if (!frame)
        end("the broker sent what is no frame (" + frame.error().where + ")", actions);
    else
        turn(**frame, bytes.size(), actions);
    return actions;
}

void SessionMachine::turn(const schemas::Frame& frame, std::size_t size, Actions& actions) {
    const Instant now = latest_;
    const Body type = frame.body_type();
    if (type == Body::Goodbye) return said_goodbye(*frame.body_as_Goodbye(), actions);
    if (type == Body::Refuse) return refused(*frame.body_as_Refuse(), now, actions);
    if (!welcomed_ && type == Body::Welcome) return welcome(*frame.body_as_Welcome(), now, actions);
    if (!welcomed_) return end("the broker spoke before its welcome", actions);

    switch (type) {
        case Body::Confirm:
            return confirm(*frame.body_as_Confirm(), actions);
        case Body::Deliver:
            return deliver(*frame.body_as_Deliver(), size, now, actions);
        case Body::Subscribed:
            return subscribed(*frame.body_as_Subscribed());
        case Body::Heartbeat:
            return announced(*frame.body_as_Heartbeat(), actions);
        case Body::Answer: {
            if (is_ours(frame.body_as_Answer()->request())) {
                const auto* content = frame.body_as_Answer()->content();
                if (frame.body_as_Answer()->request() == proof_asked_)
                    proof_came(content == nullptr ? BytesView{} : BytesView{content->data(), content->size()},
                               actions);
                return;
            }
            schemas::AnswerValue answer;
            frame.body_as_Answer()->UnPackTo(&answer);
            const std::uint32_t request = answer.request;
            actions.push_back(Answered{request, std::move(answer)});
            return;
        }
        case Body::Hello:
        case Body::Welcome:
        case Body::Publish:
        case Body::Subscribe:
        case Body::Credit:
        case Body::Acknowledge:
        case Body::Query:
        case Body::Cosign:
            return end("the broker sent a frame that is not its to send", actions);
        default:
            return;  // what a later version may add
    }
}

void SessionMachine::said_goodbye(const schemas::Goodbye& goodbye, Actions& actions) {
    if (!welcomed_ && denies_our_head(goodbye.reason(), goodbye.where()))
        return alarm(
            describe("the broker denies the log head it showed before: ", goodbye.reason(), goodbye.where()),
            evidence_of(settings_.checkpoint.value_or(""),
                        goodbye.checkpoint() == nullptr ? "" : goodbye.checkpoint()->str(),
                        proof_of(goodbye)),
            actions);
    const bool displaced = goodbye.reason() == schemas::Reason::displaced;
    end(describe("the broker said goodbye: ", goodbye.reason(), goodbye.where()), actions,
        displaced ? displaced_wait : std::chrono::milliseconds{0});
}

void SessionMachine::welcome(const schemas::Welcome& welcome, Instant now, Actions& actions) {
    if (!check_head(welcome.checkpoint()->str(), proof_of(welcome), actions)) return;
    welcomed_ = true;
    ask_for_proof(actions);
    window_ = std::clamp<std::uint32_t>(welcome.publish_window(), 1, limits::publish_window);
    if (welcome.heartbeat_ms() != 0)
        heartbeat_ = std::clamp<std::chrono::milliseconds>(std::chrono::milliseconds{welcome.heartbeat_ms()},
                                                           heartbeat_min, limits::heartbeat_interval);
    heartbeat_due_ = now + heartbeat_;
    if (settings_.topics.empty()) return;
    schemas::SubscribeValue subscribe;
    subscribe.durable = settings_.durable;
    subscribe.topics = settings_.topics;
    subscribe.credit_messages = limits::credit_messages_max;
    subscribe.credit_bytes = limits::credit_bytes_max;
    credit_messages_ = subscribe.credit_messages;
    actions.push_back(Send{wire::pack_frame(std::move(subscribe))});
}

bool SessionMachine::check_head(const std::string& received, const std::vector<Digest>& proof,
                                Actions& actions) {
    const std::string remembered = settings_.checkpoint.value_or("");
    const auto denied = [&](const char* what) {
        alarm(what, evidence_of(remembered, received, proof), actions);
        return false;
    };
    const auto newer = log::open_checkpoint(received, settings_.log);
    if (!newer) return denied("the broker's log head is not signed by the log's key");
    for (const auto* promise : {&promised_, &newest_promise_})
        if (const char* what =
                *promise ? contradiction(Tree{newer->size, newer->root}, **promise) : nullptr) {
            alarm(what, "confirmed:\n" + (*promise)->text() + "\n" + evidence_of(remembered, received, proof),
                  actions);
            return false;
        }
    if (remembered == received) return true;
    if (!remembered.empty()) {
        const auto older = log::open_checkpoint(remembered, settings_.log);
        if (!older) return denied("the log head remembered is not signed by the log's key");
        if (!log::verify_consistency(older->size, newer->size, older->root, newer->root, proof))
            return denied("the broker's log is not a continuation of the log it showed before");
    }
    settings_.checkpoint = received;
    head_ = *newer;
    asked_again_ = false;
    actions.push_back(Remember{received});
    if (settings_.witness != nullptr)
        actions.push_back(Send{cosign_frame(received, *settings_.witness, latest_)});
    return true;
}

void SessionMachine::confirm(const schemas::Confirm& confirm, Actions& actions) {
    const Id16 id = *exactly<16>({confirm.id()->data(), confirm.id()->size()});
    const auto place = places_.find(id);
    if (place == places_.end()) return;  // confirmed before, or never ours: nothing to strike off
    const Promise promise{confirm.index(), *exactly<32>({confirm.leaf()->data(), confirm.leaf()->size()}),
                          confirm.size(), *exactly<32>({confirm.root()->data(), confirm.root()->size()})};
    for (const auto& earlier :
         {head_ ? std::optional{Tree{head_->size, head_->root}} : std::nullopt,
          newest_promise_ ? std::optional{Tree{newest_promise_->size, newest_promise_->root}} : std::nullopt})
        if (const char* what = contradiction(promise, earlier.value_or(Tree{0, log::empty_root()})))
            return alarm(what,
                         "confirmed:\n" + promise.text() + "\nconfirmed before:\n" +
                             (newest_promise_ ? newest_promise_->text() : "") + "\nremembered:\n" +
                             settings_.checkpoint.value_or(""),
                         actions);
    newest_promise_ = promise;
    if (!promised_) promised_ = promise;
    actions.push_back(Confirmed{id, promise});
    settle(place->second, actions);
    key_is_known(actions);
}

// Without more frames a client can hold a Confirm's size and root only against a head of that very size. What it relies on, that its
// leaf is in the log, is asked of a sample: one Confirm of those between two heads shown, and the last of all.
void SessionMachine::ask_for_proof(Actions& actions) {
    if (ended_ || !welcomed_ || !promised_ || !head_ || head_->size <= promised_->index || proof_asked_ != 0)
        return;
    proof_asked_ = ask(schemas::QueryKind::proof, promised_->index, actions);
}

std::uint32_t SessionMachine::ask(schemas::QueryKind kind, std::uint64_t from, Actions& actions) {
    schemas::QueryValue query;
    query.kind = kind;
    query.from = from;
    auto [asked, request] = this->query(std::move(query));
    std::move(asked.begin(), asked.end(), std::back_inserter(actions));
    return request;
}

void SessionMachine::proof_came(BytesView answer, Actions& actions) {
    proof_asked_ = head_asked_ = 0;
    const Kept kept = judge(*promised_, answer, *head_, settings_.log);
    if (kept == Kept::no)
        return alarm("the broker's log does not hold what it confirmed",
                     "confirmed:\n" + promised_->text() + "\nremembered:\n" +
                         settings_.checkpoint.value_or("") + "\nanswered:\n" + to_base64(answer),
                     actions);
    if (kept == Kept::other_head) {
        // A head was signed since the one shown. Both are asked for at once: then nothing comes between. Else with the next head.
        if (std::exchange(asked_again_, true)) return;
        head_asked_ = ask(schemas::QueryKind::checkpoint, head_->size + 1, actions);
        ask_for_proof(actions);
        return;
    }
    actions.push_back(Proven{promised_->index});
    promised_ = newest_promise_->index > promised_->index ? newest_promise_ : std::nullopt;
    ask_for_proof(actions);
}

void SessionMachine::proof_refused(const Refusal& refusal, Actions& actions) {
    proof_asked_ = head_asked_ = 0;
    if (refusal.reason != Reason::not_found) return;  // it has no time: with the next head
    alarm("the broker's log does not hold what it confirmed",
          "confirmed:\n" + promised_->text() + "\nremembered:\n" + settings_.checkpoint.value_or("") +
              "\nrefused:\n" + refusal.where,
          actions);
}

void SessionMachine::refused(const schemas::Refuse& refuse, Instant now, Actions& actions) {
    const auto id =
        refuse.id() == nullptr ? std::nullopt : exactly<16>({refuse.id()->data(), refuse.id()->size()});
    if (!welcomed_) {
        return end(describe("the broker refused us: ", refuse.reason(), refuse.where()), actions,
                   retry_delay(refuse));
    }
    if (is_ours(refuse.request())) {
        if (refuse.request() == proof_asked_) proof_refused(refusal_of(refuse), actions);
        return;
    }
    if (refuse.request() != 0) {
        actions.push_back(Answered{refuse.request(), tl::unexpected{refusal_of(refuse)}});
        return;
    }
    if (!id) {
        actions.push_back(Problem{describe("the broker refused: ", refuse.reason(), refuse.where())});
        return;
    }
    if (const auto place = places_.find(*id); place != places_.end())
        publish_refused(place->second, refuse, now, actions);
}

void SessionMachine::publish_refused(std::uint64_t place, const schemas::Refuse& refuse, Instant now,
                                     Actions& actions) {
    InFlight& entry = in_flight_.at(place);
    if (may_be_sent_again(refuse.reason())) {
        entry.sent = false;
        const Instant due = now + retry_delay(refuse);
        resend_at_ = std::max(resend_at_.value_or(due), due);
        return;
    }
    // No key of ours is in force, yet or any more: every message would be refused, none is at fault.
    if (refuse.reason() == schemas::Reason::unknown_sender) {
        entry.sent = false;
        resend_at_ = now + retry_after_max;
        if (!std::exchange(key_refused_, true))
            actions.push_back(Problem{
                describe("the partnership does not know our key, what is to be sent waits: ", refuse.reason(),
                         refuse.where())});
        return;
    }
    actions.push_back(DeadLetter{entry.message.id, refusal_of(refuse)});
    settle(place, actions);
    key_is_known(actions);
}

/// The message that tried was answered for what it is: the others may follow.
void SessionMachine::key_is_known(Actions& actions) {
    if (std::exchange(key_refused_, false)) send_unsent(actions);
}

/// Takes it out of flight; the next of its line may go now.
void SessionMachine::settle(std::uint64_t place, Actions& actions) {
    const auto entry = in_flight_.find(place);
    in_flight_bytes_ -= entry->second.message.envelope.size();
    places_.erase(entry->second.message.id);
    const auto line = lines_.find(entry->second.line);
    in_flight_.erase(entry);
    if (line == lines_.end()) return;
    line->second.erase(place);
    if (line->second.empty())
        lines_.erase(line);
    else
        send_unsent(actions);
}

bool SessionMachine::is_first_of_line(std::uint64_t place, const InFlight& entry) const {
    return entry.line.empty() || *lines_.at(entry.line).begin() == place;
}

void SessionMachine::subscribed(const schemas::Subscribed& subscribed) {
    if (subscribed.topics() == nullptr) return;
    for (const auto* topic : *subscribed.topics())
        if (is_subscribed(topic->topic()->str()))
            newest_.insert_or_assign(topic->topic()->str(), Newest{topic->number()});
}

// A heartbeat may show a newer head of the log, and says what the newest delivery of each mailbox is. One that is announced and does not come is lost on the
// way, and somebody waits for it.
void SessionMachine::announced(const schemas::Heartbeat& heartbeat, Actions& actions) {
    if (heartbeat.checkpoint() != nullptr &&
        !check_head(heartbeat.checkpoint()->str(), proof_of(heartbeat), actions))
        return;
    if (heartbeat.checkpoint() != nullptr) ask_for_proof(actions);
    if (heartbeat.high_water() == nullptr || credit_messages_ == 0) return;
    for (const auto* mark : *heartbeat.high_water()) {
        const auto found = newest_.find(mark->topic()->str());
        if (found == newest_.end() || mark->number() <= found->second.number) continue;
        Newest& newest = found->second;
        if (!newest.missed_since) newest.missed_since = latest_;
        if (newest.told || latest_ < *newest.missed_since + limits::dead_after) continue;
        newest.told = true;
        actions.push_back(Problem{"deliveries announced on " + found->first + " do not come"});
    }
}

Result<Incoming> incoming_of(const schemas::Deliver& deliver, Instant now) {
    const auto envelope = wire::read_envelope({deliver.envelope()->data(), deliver.envelope()->size()});
    if (!envelope) return tl::unexpected{envelope.error()};
    return Incoming{deliver.topic()->str(),
                    deliver.number(),
                    deliver.index(),
                    envelope->kind,
                    envelope->id,
                    copy(envelope->payload),
                    now,
                    std::nullopt,
                    {},
                    std::nullopt,
                    {},
                    {}};
}

bool SessionMachine::is_subscribed(const std::string& topic) const {
    return std::ranges::find(settings_.topics, topic) != settings_.topics.end();
}

void SessionMachine::deliver(const schemas::Deliver& deliver, std::size_t frame_size, Instant now,
                             Actions& actions) {
    const std::string topic = deliver.topic()->str();
    if (!is_subscribed(topic)) return end("the broker delivered from a mailbox not asked for", actions);
    if (credit_messages_ == 0) return end("the broker delivered more than it was granted", actions);
    auto delivery = incoming_of(deliver, now);
    if (!delivery) return end("the broker delivered what is no envelope (" + topic + ")", actions);
    --credit_messages_;
    if (const auto newest = newest_.find(topic); newest != newest_.end())
        newest->second = Newest{std::max(newest->second.number, deliver.number())};
    auto& arrived = arrived_[topic];
    arrived.numbers.push_back(deliver.number());
    arrived.bytes += frame_size;
    actions.push_back(Store{std::move(*delivery)});
}

Actions SessionMachine::stored(Instant now) {
    forward(now);
    Actions actions;
    if (ended_) return actions;
    schemas::CreditValue credit;
    for (const auto& [topic, arrived] : arrived_) {
        actions.push_back(Send{wire::acknowledge_frame(topic, arrived.numbers)});
        credit.messages += static_cast<std::uint32_t>(arrived.numbers.size());
        credit.bytes += arrived.bytes;
    }
    arrived_.clear();
    if (credit.messages == 0) return actions;
    credit_messages_ += credit.messages;
    actions.push_back(Send{wire::pack_frame(credit)});
    return actions;
}

std::size_t SessionMachine::room() const {
    if (!welcomed_ || ended_ || resend_at_ || in_flight_bytes_ >= in_flight_bytes_max) return 0;
    return std::min<std::size_t>(window_ - std::min<std::size_t>(window_, in_flight_.size()),
                                 limits::origin_batch_max);
}

Actions SessionMachine::publish(std::vector<Outgoing> messages, Instant now) {
    forward(now);
    Actions actions;
    for (Outgoing& message : messages) {
        const auto envelope = wire::read_envelope(message.envelope);
        if (!envelope) {
            actions.push_back(DeadLetter{message.id, envelope.error()});
            continue;
        }
        if (!places_.emplace(message.id, next_place_).second) continue;
        in_flight_bytes_ += message.envelope.size();
        const std::string line = line_of(*envelope);
        if (!line.empty()) lines_[line].insert(next_place_);
        in_flight_.emplace(next_place_++, InFlight{std::move(message), line});
    }
    send_unsent(actions);
    return actions;
}

void SessionMachine::send_unsent(Actions& actions) {
    if (!welcomed_ || ended_ || resend_at_) return;
    if (key_refused_ && std::ranges::any_of(in_flight_, [](const auto& item) { return item.second.sent; }))
        return;
    std::vector<InFlight*> batch;
    for (auto& [place, entry] : in_flight_) {
        if (entry.sent || !is_first_of_line(place, entry)) continue;
        batch.push_back(&entry);
        if (key_refused_) break;  // one that tries: each refusal is a leaf of the log
        if (batch.size() == limits::origin_batch_max) {
            sign_and_send(batch, actions);
            batch.clear();
        }
    }
    sign_and_send(batch, actions);
}

void SessionMachine::sign_and_send(const std::vector<InFlight*>& batch, Actions& actions) {
    if (batch.empty()) return;
    std::vector<Digest> digests;
    digests.reserve(batch.size());
    for (const InFlight* entry : batch) digests.push_back(crypto::sha256(entry->message.envelope));
    const auto tree = log::batch_tree(digests);
    const Bytes signature = origin_.sign(wire::origin_message(tree.root));
    for (std::size_t i = 0; i < batch.size(); ++i) {
        schemas::OriginValue origin;
        origin.signature = signature;
        origin.index = static_cast<std::uint32_t>(i);
        origin.size = static_cast<std::uint32_t>(batch.size());
        for (const Digest& hash : tree.paths[i]) {
            origin.path.push_back(std::make_unique<schemas::HashValue>());
            origin.path.back()->bytes = copy(hash);
        }
        batch[i]->sent = true;
        actions.push_back(Send{wire::publish_frame(batch[i]->message.envelope, origin)});
    }
}

Actions SessionMachine::tick(Instant now) {
    Actions actions;
    if (ended_) return actions;
    forward(now);
    if (latest_ >= heard_ + limits::dead_after) {
        end(welcomed_ ? "the broker fell silent" : "the broker did not welcome us in time", actions);
        return actions;
    }
    if (welcomed_ && latest_ >= heartbeat_due_) {
        heartbeat_due_ = latest_ + heartbeat_;
        actions.push_back(Send{wire::pack_frame(schemas::HeartbeatValue{})});
    }
    if (resend_at_ && latest_ >= *resend_at_) {
        resend_at_.reset();
        send_unsent(actions);
    }
    return actions;
}

Instant SessionMachine::next_due() const {
    Instant due = heard_ + limits::dead_after;
    if (welcomed_) due = std::min(due, heartbeat_due_);
    if (resend_at_) due = std::min(due, *resend_at_);
    return due;
}

std::pair<Actions, std::uint32_t> SessionMachine::query(schemas::QueryValue query) {
    const std::uint32_t request = next_request_++;
    query.request = request;
    Actions actions;
    actions.push_back(Send{wire::pack_frame(std::move(query))});
    return {std::move(actions), request};
}

Actions SessionMachine::cosign(std::string note) {
    Actions actions;
    actions.push_back(Send{cosign_frame(std::move(note))});
    return actions;
}

Actions SessionMachine::goodbye() {
    Actions actions;
    if (ended_) return actions;
    actions.push_back(Send{wire::pack_frame(schemas::GoodbyeValue{})});
    end("we said goodbye", actions);
    return actions;
}

void SessionMachine::end(std::string problem, Actions& actions, std::chrono::milliseconds wait_at_least) {
    ended_ = true;
    actions.push_back(End{std::move(problem), wait_at_least});
}

void SessionMachine::alarm(std::string what, std::string evidence, Actions& actions) {
    ended_ = true;
    actions.push_back(Alarm{std::move(what), std::move(evidence)});
}

}  // namespace flagpost::client
