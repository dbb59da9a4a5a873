/// C2SP signed notes, checkpoints and cosignatures (anchors d.6).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/core/bytes.h"
#include "broker/core/clock.h"
#include "broker/core/result.h"
#include "broker/crypto/signature.h"

namespace flagpost::log {

/// `name+hhhhhhhh+base64(type || public key)`: a key and the name it signs under.
class VerifierKey {
public:
    enum class Type : std::uint8_t { note = 1, cosignature = 4 };
    static Result<VerifierKey> parse(std::string_view vkey);  // one line, without its newline
    VerifierKey(std::string name, Type type, const std::array<std::uint8_t, 32>& key);
    const std::string& name() const { return name_; }
    Type type() const { return type_; }
    const std::array<std::uint8_t, 32>& key() const { return key_; }
    std::uint32_t id() const { return id_; }  // first 4 bytes of SHA-256(name, 0A, type, key)
    std::string text() const;

private:
    std::string name_;
    Type type_;
    std::array<std::uint8_t, 32> key_;
    std::uint32_t id_;
};

struct NoteSignature {
    std::string name;
    std::uint32_t key_id;
    Bytes signature;  // after the key id
};

struct SignedNote {
    std::string text;  // ends in a newline
    std::vector<NoteSignature> signatures;
    static Result<SignedNote> parse(std::string_view note);  // at most 100 signatures and 64 KiB
    std::string format() const;
};

/// The head of a log: origin, size, root.
struct Checkpoint {
    std::string origin;
    std::uint64_t size;
    Digest root;
    std::string format() const;  // the note text, three lines
    static Result<Checkpoint> parse(std::string_view text);
    friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

/// The note with one more line, signed by `key` under `name`.
NoteSignature sign_note(std::string_view text, const std::string& name, const crypto::NoteKey& key);
NoteSignature cosign_note(std::string_view text, const std::string& name, const crypto::NoteKey& key,
                          Instant at);

/// What the note carries of one key. Only the first line of a key counts, so that a note cannot hide a failing
/// signature behind a good one; lines of other keys are ignored. A failing line condemns the note.
enum class Line { absent, holds, fails };
Line line_of(const SignedNote& note, const VerifierKey& key);

/// Whether `key` signed this note: false also if it has no line of that key.
inline bool signed_by(const SignedNote& note, const VerifierKey& key) {
    return line_of(note, key) == Line::holds;
}

/// When the witness `key` cosigned this note, to the second; nothing if it did not.
std::optional<Instant> cosigned_at(const SignedNote& note, const VerifierKey& key);

/// A checkpoint carrying a valid signature of `log` whose origin is the name of that key; refused with
/// bad_signature otherwise.
Result<Checkpoint> open_checkpoint(std::string_view note, const VerifierKey& log);

}  // namespace flagpost::log
