#include "broker/wire/zmtp.h"

#include <algorithm>

#include "broker/core/limits.h"

namespace flagpost::wire::zmtp {
namespace {

constexpr std::uint8_t more_bit = 1, long_bit = 2, command_bit = 4;
constexpr std::size_t ping_context_max = 16;         // RFC 37
constexpr std::size_t partial_kept_idle = 4 * 1024;  // a larger buffer is given back after its message
constexpr std::string_view mechanism = "NULL";

void append_text(Bytes& out, std::string_view text) { out.insert(out.end(), text.begin(), text.end()); }

void append_header(Bytes& out, std::uint8_t flags, std::size_t size) {
    const bool is_long = size > 255;
    out.push_back(static_cast<std::uint8_t>(flags | (is_long ? long_bit : 0)));
    append_be(out, size, is_long ? 8 : 1);
}

Bytes command(std::string_view name, BytesView content) {
    Bytes out;
    append_header(out, command_bit, 1 + name.size() + content.size());
    out.push_back(static_cast<std::uint8_t>(name.size()));
    append_text(out, name);
    out.insert(out.end(), content.begin(), content.end());
    return out;
}

std::optional<Refusal> fault(Reason reason, const char* where) { return Refusal{reason, where}; }

// Each byte of a greeting is judged as it comes, so that a stranger speaking something else is known at once.
std::optional<Refusal> fault_in_greeting(std::size_t index, std::uint8_t byte) {
    if (index == 0 || index == 9) {
        const std::uint8_t expected = index == 0 ? 0xff : 0x7f;
        return byte == expected ? std::nullopt : fault(Reason::malformed, "zmtp.greeting.signature");
    }
    if (index < 9 || index == 11) return std::nullopt;  // routing-id length of libzmq; minor version
    if (index == 10)
        return byte == 3 ? std::nullopt : fault(Reason::unsupported_version, "zmtp.greeting.version");
    if (index < 32) {
        const std::size_t place = index - 12;
        const auto expected = static_cast<std::uint8_t>(place < mechanism.size() ? mechanism[place] : 0);
        return byte == expected ? std::nullopt : fault(Reason::malformed, "zmtp.greeting.mechanism");
    }
    return byte == 0 ? std::nullopt : fault(Reason::malformed, "zmtp.greeting.filler");
}

bool same_name(std::string_view a, std::string_view b) {  // property names are case-insensitive: RFC 37
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::ranges::equal(a, b, [&](char x, char y) { return lower(x) == lower(y); });
}

struct Property {
    std::string_view name;
    BytesView value;
};

std::optional<Property> take_property(BytesView& metadata) {
    const std::size_t name_size = metadata[0];
    if (name_size == 0 || metadata.size() < 1 + name_size + 4) return std::nullopt;
    const auto name = text(metadata.subspan(1, name_size));
    const std::uint64_t value_size = read_be(metadata.subspan(1 + name_size, 4));
    const auto rest = metadata.subspan(1 + name_size + 4);
    if (value_size > rest.size()) return std::nullopt;
    metadata = rest.subspan(value_size);
    return Property{name, rest.first(value_size)};
}

}  // namespace

std::array<std::uint8_t, greeting_size> greeting() {
    std::array<std::uint8_t, greeting_size> out{};
    out[0] = 0xff;
    out[9] = 0x7f;
    out[10] = 3;
    out[11] = 1;
    std::ranges::copy(mechanism, out.begin() + 12);
    return out;
}

Bytes ready_command(std::string_view socket_type) {
    constexpr std::string_view property = "Socket-Type";
    Bytes metadata{static_cast<std::uint8_t>(property.size())};
    append_text(metadata, property);
    append_be(metadata, socket_type.size(), 4);
    append_text(metadata, socket_type);
    return command("READY", metadata);
}

void append_message(Bytes& out, BytesView content) {
    append_header(out, 0, content.size());
    out.insert(out.end(), content.begin(), content.end());
}

Result<std::optional<Event>> Parser::next(BytesView& bytes) {
    auto event = advance(bytes);
    if (!event) state_ = State::refused;
    return event;
}

Result<std::optional<Event>> Parser::advance(BytesView& bytes) {
    if (state_ == State::refused) return refuse(Reason::malformed, "zmtp: bytes after a refusal");
    if (state_ == State::greeting) {
        if (auto found = take_greeting(bytes)) return tl::unexpected<Refusal>{std::move(*found)};
        if (state_ == State::greeting) return std::nullopt;
    }
    while (true) {
        drop_spent();
        if (auto found = take_header(bytes)) return tl::unexpected<Refusal>{std::move(*found)};
        if (!header_whole()) return std::nullopt;
        const auto body = take_body(bytes);
        if (!body) return std::nullopt;
        auto event = handle(*body);
        header_taken_ = 0;
        if (!event || *event) return event;  // otherwise a PONG: taken, and nothing to tell
    }
}

void Parser::drop_spent() {
    if (!partial_spent_) return;
    partial_spent_ = false;
    partial_.clear();
    if (partial_.capacity() > partial_kept_idle) Bytes{}.swap(partial_);
}

std::optional<Refusal> Parser::take_greeting(BytesView& bytes) {
    while (greeting_taken_ < greeting_size && !bytes.empty()) {
        if (auto found = fault_in_greeting(greeting_taken_, bytes.front())) return found;
        ++greeting_taken_;
        bytes = bytes.subspan(1);
    }
    if (greeting_taken_ == greeting_size) state_ = State::handshake;
    return std::nullopt;
}

bool Parser::header_whole() const {
    return header_taken_ > 0 && header_taken_ == ((header_[0] & long_bit) != 0 ? 9u : 2u);
}

std::uint64_t Parser::body_size() const { return read_be(BytesView{header_}.subspan(1, header_taken_ - 1)); }

std::optional<Refusal> Parser::check_flags() const {
    const std::uint8_t flags = header_[0];
    if ((flags & ~(more_bit | long_bit | command_bit)) != 0) return fault(Reason::malformed, "zmtp.flags");
    if ((flags & more_bit) != 0) return fault(Reason::malformed, "zmtp.more");
    if (state_ == State::handshake && (flags & command_bit) == 0)
        return fault(Reason::malformed, "zmtp.ready.missing");
    return std::nullopt;
}

std::optional<Refusal> Parser::take_header(BytesView& bytes) {
    while (!header_whole() && !bytes.empty()) {
        header_[header_taken_++] = bytes.front();
        bytes = bytes.subspan(1);
        if (header_taken_ == 1)
            if (auto found = check_flags()) return found;
        if (!header_whole()) continue;
        const bool is_command = (header_[0] & command_bit) != 0;
        if (body_size() > (is_command ? limits::zmtp_command_size_max : limits::frame_size_max))
            return fault(Reason::too_large, is_command ? "zmtp.command" : "zmtp.message");
    }
    return std::nullopt;
}

std::optional<BytesView> Parser::take_body(BytesView& bytes) {
    const auto size = static_cast<std::size_t>(body_size());
    if (partial_.empty() && bytes.size() >= size) {
        const auto whole = bytes.first(size);
        bytes = bytes.subspan(size);
        return whole;
    }
    const auto piece = bytes.first(std::min(bytes.size(), size - partial_.size()));
    partial_.insert(partial_.end(), piece.begin(), piece.end());
    bytes = bytes.subspan(piece.size());
    if (partial_.size() < size) return std::nullopt;
    partial_spent_ = true;
    return BytesView{partial_};
}

Result<std::optional<Event>> Parser::handle(BytesView body) {
    if ((header_[0] & command_bit) != 0) return handle_command(body);
    return Event{Message{body}};
}

Result<std::optional<Event>> Parser::handle_command(BytesView body) {
    if (body.empty() || body.size() < 1u + body[0]) return refuse(Reason::malformed, "zmtp.command.name");
    const auto name = text(body.subspan(1, body[0]));
    const auto content = body.subspan(1u + body[0]);
    if (name == "ERROR") return refuse(Reason::malformed, "zmtp.error");  // the peer gave up
    if (state_ == State::handshake) {
        if (name != "READY") return refuse(Reason::malformed, "zmtp.command");
        if (auto found = check_ready(content)) return tl::unexpected<Refusal>{std::move(*found)};
        state_ = State::traffic;
        return Event{Ready{}};
    }
    if (name == "PONG") return std::nullopt;
    if (name != "PING") return refuse(Reason::malformed, "zmtp.command");
    if (content.size() < 2 || content.size() > 2 + ping_context_max)
        return refuse(Reason::malformed, "zmtp.ping");
    return Event{Ping{command("PONG", content.subspan(2))}};
}

std::optional<Refusal> Parser::check_ready(BytesView metadata) const {
    bool typed = false;
    while (!metadata.empty()) {
        const auto property = take_property(metadata);
        if (!property) return fault(Reason::malformed, "zmtp.ready.metadata");
        if (same_name(property->name, "Identity") && property->value.size() > limits::zmtp_identity_size_max)
            return fault(Reason::too_large, "zmtp.ready.identity");
        if (!same_name(property->name, "Socket-Type")) continue;
        if (typed || text(property->value) != expected_type_)
            return fault(Reason::malformed, "zmtp.ready.socket_type");
        typed = true;
    }
    return typed ? std::nullopt : fault(Reason::malformed, "zmtp.ready.socket_type");
}

}  // namespace flagpost::wire::zmtp
