#include "broker/log/note.h"

#include <algorithm>

#include "broker/core/limits.h"
#include "broker/crypto/digest.h"
#include "broker/log/lines.h"

namespace flagpost::log {
namespace {

constexpr std::string_view dash = "\u2014 ";  // every signature line begins with it
constexpr std::size_t key_id_size = 4;
constexpr std::size_t signature_size = 64;

std::uint32_t read_u32(BytesView bytes) { return static_cast<std::uint32_t>(read_be(bytes.first(4))); }

/// One code point of UTF-8 taken off the front of `rest`; nothing if it is not shortest-form UTF-8.
std::optional<char32_t> take_code_point(std::string_view& rest) {
    const auto first = static_cast<std::uint8_t>(rest[0]);
    const std::size_t size = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : 4;
    if (rest.size() < size || (size == 4 && first >> 3 != 30)) return std::nullopt;
    char32_t point = size == 1 ? first : first & (0x7fu >> size);
    for (std::size_t i = 1; i < size; ++i) {
        const auto next = static_cast<std::uint8_t>(rest[i]);
        if (next >> 6 != 2) return std::nullopt;
        point = point << 6 | (next & 63);
    }
    static constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < smallest[size] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
        return std::nullopt;
    rest.remove_prefix(size);
    return point;
}

bool is_space(char32_t point) {
    return (point >= 9 && point <= 13) || point == ' ' || point == 0x85 || point == 0xa0 || point == 0x1680 ||
           (point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 || point == 0x202f ||
           point == 0x205f || point == 0x3000;
}

bool is_note_text(std::string_view text) {
    while (!text.empty()) {
        const auto point = take_code_point(text);
        if (!point || (*point < 0x20 && *point != '\n')) return false;
    }
    return true;
}

bool is_key_name(std::string_view name) {
    if (name.empty()) return false;
    while (!name.empty()) {
        const auto point = take_code_point(name);
        if (!point || is_space(*point) || *point == '+' || *point < 0x20) return false;
    }
    return true;
}

std::uint32_t key_id(std::string_view name, VerifierKey::Type type, const std::array<std::uint8_t, 32>& key) {
    static constexpr std::uint8_t newline[] = {'\n'};
    const std::uint8_t type_byte[] = {static_cast<std::uint8_t>(type)};
    return read_u32(crypto::sha256({view(name), newline, type_byte, key}));
}

/// What a cosignature covers: the time and the whole note text.
std::string cosigned_text(std::string_view text, std::uint64_t seconds) {
    return "cosignature/v1\ntime " + std::to_string(seconds) + "\n" + std::string{text};
}

std::optional<NoteSignature> parse_signature_line(std::string_view line) {
    if (!line.starts_with(dash)) return std::nullopt;
    line.remove_prefix(dash.size());
    const auto space = line.find(' ');
    if (space == std::string_view::npos || !is_key_name(line.substr(0, space))) return std::nullopt;
    const auto blob = from_base64(line.substr(space + 1));
    if (!blob || blob->size() <= key_id_size) return std::nullopt;
    return NoteSignature{std::string{line.substr(0, space)}, read_u32(*blob),
                         Bytes(blob->begin() + key_id_size, blob->end())};
}

const NoteSignature* first_line_of(const SignedNote& note, const VerifierKey& key) {
    const auto line = std::ranges::find_if(note.signatures, [&](const NoteSignature& signature) {
        return signature.key_id == key.id() && signature.name == key.name();
    });
    return line == note.signatures.end() ? nullptr : &*line;
}

}  // namespace

Result<VerifierKey> VerifierKey::parse(std::string_view vkey) {
    const auto name_end = vkey.find('+');
    const auto id_end = name_end == std::string_view::npos ? name_end : vkey.find('+', name_end + 1);
    if (id_end == std::string_view::npos) return refuse(Reason::malformed, "vkey");
    const auto name = vkey.substr(0, name_end);
    if (name.size() > limits::spiffe_id_size_max || !is_key_name(name))
        return refuse(Reason::malformed, "vkey: name");
    const auto key = from_base64(vkey.substr(id_end + 1));
    if (!key || key->size() != 33) return refuse(Reason::malformed, "vkey: key");
    if ((*key)[0] != 1 && (*key)[0] != 4) return refuse(Reason::unsupported_version, "vkey: type");
    const VerifierKey parsed{std::string{name}, static_cast<Type>((*key)[0]),
                             *exactly<32>(BytesView{*key}.subspan(1))};
    // Compared as text, so that one key has one spelling.
    if (parsed.text() != vkey) return refuse(Reason::malformed, "vkey: id");
    return parsed;
}

VerifierKey::VerifierKey(std::string name, Type type, const std::array<std::uint8_t, 32>& key)
    : name_{std::move(name)}, type_{type}, key_{key}, id_{key_id(name_, type, key)} {}

std::string VerifierKey::text() const {
    Bytes id;
    append_be(id, id_, 4);
    Bytes typed{static_cast<std::uint8_t>(type_)};
    typed.insert(typed.end(), key_.begin(), key_.end());
    return name_ + "+" + to_hex(id) + "+" + to_base64(typed);
}

Result<SignedNote> SignedNote::parse(std::string_view note) {
    if (note.size() > limits::note_size_max) return refuse(Reason::too_large, "note: longer than 64 KiB");
    if (!is_note_text(note)) return refuse(Reason::malformed, "note: not plain text");
    const auto split = note.rfind("\n\n");
    if (split == std::string_view::npos) return refuse(Reason::malformed, "note: no signatures");
    SignedNote parsed;
    parsed.text = note.substr(0, split + 1);
    auto rest = note.substr(split + 2);
    if (rest.empty()) return refuse(Reason::malformed, "note: no signatures");
    while (!rest.empty()) {
        const auto line = take_line(rest);
        auto signature = line ? parse_signature_line(*line) : std::nullopt;
        if (!signature) return refuse(Reason::malformed, "note: signature line");
        if (parsed.signatures.size() == limits::note_signatures_max)
            return refuse(Reason::too_large, "note: more than 100 signatures");
        parsed.signatures.push_back(*std::move(signature));
    }
    return parsed;
}

std::string SignedNote::format() const {
    std::string note = text + "\n";
    for (const auto& signature : signatures) {
        Bytes blob;
        append_be(blob, signature.key_id, 4);
        blob.insert(blob.end(), signature.signature.begin(), signature.signature.end());
        note.append(dash).append(signature.name).append(" ").append(to_base64(blob)).append("\n");
    }
    return note;
}

std::string Checkpoint::format() const {
    return origin + "\n" + std::to_string(size) + "\n" + to_base64(root) + "\n";
}

Result<Checkpoint> Checkpoint::parse(std::string_view text) {
    const auto origin = take_line(text);
    const auto size_line = take_line(text);
    const auto root_line = take_line(text);
    // Lines beyond the third are extensions: cosignatures of newer forms would not cover them.
    if (!origin || !size_line || !root_line || !text.empty())
        return refuse(Reason::malformed, "checkpoint: not three lines");
    if (!is_key_name(*origin)) return refuse(Reason::malformed, "checkpoint: origin");
    const auto size = parse_number(*size_line);
    if (!size) return refuse(Reason::malformed, "checkpoint: size");
    const auto root = parse_hash(*root_line);
    if (!root) return refuse(Reason::malformed, "checkpoint: root");
    return Checkpoint{std::string{*origin}, *size, *root};
}

NoteSignature sign_note(std::string_view text, const std::string& name, const crypto::NoteKey& key) {
    const auto signature = key.sign(view(text));
    return {name, key_id(name, VerifierKey::Type::note, key.public_key()),
            Bytes(signature.begin(), signature.end())};
}

NoteSignature cosign_note(std::string_view text, const std::string& name, const crypto::NoteKey& key,
                          Instant at) {
    const auto seconds =
        static_cast<std::uint64_t>(std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count());
    Bytes blob;
    append_be(blob, seconds, 8);
    const auto signature = key.sign(view(cosigned_text(text, seconds)));
    blob.insert(blob.end(), signature.begin(), signature.end());
    return {name, key_id(name, VerifierKey::Type::cosignature, key.public_key()), std::move(blob)};
}

Line line_of(const SignedNote& note, const VerifierKey& key) {
    const auto* line = first_line_of(note, key);
    if (line == nullptr) return Line::absent;
    const bool holds = key.type() == VerifierKey::Type::cosignature
                           ? cosigned_at(note, key).has_value()
                           : line->signature.size() == signature_size &&
                                 crypto::verify_ed25519(key.key(), view(note.text), line->signature);
    return holds ? Line::holds : Line::fails;
}

std::optional<Instant> cosigned_at(const SignedNote& note, const VerifierKey& key) {
    if (key.type() != VerifierKey::Type::cosignature) return std::nullopt;
    const auto* line = first_line_of(note, key);
    if (line == nullptr || line->signature.size() != 8 + signature_size) return std::nullopt;
    const BytesView blob{line->signature};
    const auto seconds = static_cast<std::uint64_t>(read_u32(blob)) << 32 | read_u32(blob.subspan(4));
    // Later than an Instant can say: nobody's clock.
    if (seconds > limits::note_time_max_s) return std::nullopt;
    if (!crypto::verify_ed25519(key.key(), view(cosigned_text(note.text, seconds)), blob.subspan(8)))
        return std::nullopt;
    return Instant{std::chrono::seconds{seconds}};
}

Result<Checkpoint> open_checkpoint(std::string_view note, const VerifierKey& log) {
    const auto parsed = SignedNote::parse(note);
    if (!parsed) return tl::unexpected{parsed.error()};
    if (log.type() != VerifierKey::Type::note || !signed_by(*parsed, log))
        return refuse(Reason::bad_signature, "checkpoint: signature of the log");
    auto checkpoint = Checkpoint::parse(parsed->text);
    if (checkpoint && checkpoint->origin != log.name())
        return refuse(Reason::bad_signature, "checkpoint: origin is not the key's name");
    return checkpoint;
}

}  // namespace flagpost::log
