#include "adapters/auditor/verify.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>

#include "adapters/auditor/items.h"
#include "adapters/auditor/mapped_file.h"
#include "adapters/auditor/printable.h"
#include "adapters/auditor/signatures.h"
#include "adapters/auditor/tree_check.h"
#include "broker/crypto/digest.h"
#include "broker/log/leaf.h"

namespace flagpost::auditor {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t tiles_missing_max = 1024;  // each by name
constexpr int readings_max = 3;                    // of an export that is brought up to newer heads meanwhile

std::string entry_name(std::uint64_t index) { return "entry " + std::to_string(index); }

/// "entries 512 to 767"
std::string entries_name(std::uint64_t first, std::uint64_t count) {
    if (count == 1) return entry_name(first);
    return "entries " + std::to_string(first) + " to " + std::to_string(first + count - 1);
}

/// 256 entries, or what the last tile has, as they lie in their files.
struct Tile {
    std::uint64_t number;
    std::uint64_t first;  // entry
    std::vector<std::optional<Digest>> stored;
    std::optional<MappedFile> file;
    std::vector<BytesView> entries;  // fewer than stored where the file is damaged
    std::vector<Digest> hashes;      // of the entries

    std::size_t width() const { return stored.size(); }
    bool agrees(std::size_t place) const { return place < hashes.size() && stored[place] == hashes[place]; }
    bool agrees() const {
        for (std::size_t i = 0; i < width(); ++i)
            if (!agrees(i)) return false;
        return true;
    }
    std::vector<Candidates> candidates() const {
        std::vector<Candidates> places(width());
        for (std::size_t i = 0; i < width(); ++i) {
            if (stored[i]) places[i].push_back(*stored[i]);
            if (i < hashes.size()) add_candidate(places[i], hashes[i]);
        }
        return places;
    }
};

class Verifier {
public:
    Verifier(const fs::path& directory, const log::Policy& policy) : directory_{directory}, policy_{policy} {}

    Verification run(const Progress& progress) {
        const auto root = read_head();
        TreeCheck tree{directory_, result_.size, report_};
        for (std::uint64_t number = 0; number < tiles_at(0, result_.size); ++number) {
            const auto tile = read_tile(number, report_);
            tree.add_tile(number, tile.candidates());
            if (tile.agrees())
                check_contents(tile, std::vector<bool>(tile.width(), true), last_time_);
            else
                doubtful_.push_back(number);
            if (progress) progress(number, tiles_at(0, result_.size));
        }
        tree.resolve(root);
        settle(tree);
        check_absent();
        check_policies();
        check_key();
        check_terms();
        check_for_more();
        return std::move(result_);
    }

    /// Whether an export began to bring it up to a newer head while it was read: what was not there may be by now.
    bool was_replaced() const {
        const auto file = MappedFile::open(directory_ / "checkpoint");
        return file && text(file->bytes()) != head_;
    }

private:
    void report(std::string what, std::string why) {
        if (++result_.damage_count <= damages_named_max)
            result_.damages.push_back({std::move(what), std::move(why)});
    }

    /// The signed root; nothing if no head can be believed, and then the size is that of the files.
    std::optional<Digest> read_head() {
        result_.witnesses_known = policy_.witness_count();
        const auto file = MappedFile::open(directory_ / "checkpoint");
        if (!file) report("file checkpoint", "is missing");
        if (file) {
            head_ = text(file->bytes());
            auto judged = policy_.judge(head_);
            if (judged) {
                result_.origin = judged->head.origin;
                result_.size = judged->head.size;
                result_.root = judged->head.root;
                result_.witnesses = std::move(judged->witnesses);
                if (!is_beyond_the_files()) return result_.root;
                const auto there = size_by_files(directory_);
                report(entries_name(there, result_.size - there),
                       "are under the signed head, and neither they nor their tiles are here");
                result_.size = there;
                return std::nullopt;
            }
            report("checkpoint", "cannot be believed: " + judged.error().where);
        }
        result_.size = size_by_files(directory_);
        return std::nullopt;
    }

    /// Whether the head covers far more than there are files: whoever holds the log's key can sign any size, and what is looked
    /// for grows with it.
    bool is_beyond_the_files() const {
        const auto tiles = tiles_at(0, result_.size);
        if (tiles <= tiles_missing_max) return false;
        std::uint64_t files = 0;
        for (const auto* folder : {"tile/0", "tile/entries"}) {
            std::error_code none;
            for (const auto& file : fs::recursive_directory_iterator{directory_ / folder, none})
                files += file.is_regular_file() ? 1 : 0;
        }
        return tiles > files + tiles_missing_max;
    }

    Tile read_tile(std::uint64_t number, const Report& to) const {
        Tile tile{
            number, number * log::tile_width, stored_tile(directory_, 0, number, result_.size, to), {}, {},
            {}};
        const auto name = path_of({Piece::Of::entries, 0, number, tile.width()});
        tile.file = MappedFile::open(directory_ / name);
        if (!tile.file) {
            to("file " + name, "is missing");
            return tile;
        }
        const auto judge = [&](std::size_t place, BytesView entry) {
            if (!tile.stored[place]) return Verdict::unknown;
            return log::leaf_hash(entry) == tile.stored[place] ? Verdict::right : Verdict::wrong;
        };
        auto found = items_of(tile.file->bytes(), Prefix::entry, tile.width(), judge);
        tile.entries = std::move(found.items);
        if (found.damaged_length) to(entry_name(tile.first + *found.damaged_length), "its length is damaged");
        if (found.runs_on) to("file " + name, "goes on after its last entry");
        if (const auto there = tile.entries.size(); there < tile.width())
            to(entries_name(tile.first + there, tile.width() - there),
               "the file ends before them or cannot be read");
        for (const auto entry : tile.entries) tile.hashes.push_back(log::leaf_hash(entry));
        return tile;
    }

    /// Whether the tiles that agreed with their entries are what was logged, and who is wrong in those that did not.
    void settle(const TreeCheck& tree) {
        for (std::uint64_t number = 0; number < hashes_at(1, result_.size); ++number)
            if (!std::ranges::binary_search(doubtful_, number) && tree.contradicts(number))
                report(entries_name(number * log::tile_width, log::tile_width),
                       "agree with their tile, but are not what was logged");
        for (const auto number : doubtful_) {
            const auto tile = read_tile(number, [](const auto&...) {});
            const auto truth = tree.true_hashes(number, tile.candidates());
            std::vector<bool> sound(tile.width());
            for (std::size_t i = 0; i < tile.width(); ++i)
                sound[i] = truth ? settle_place(tile, i, (*truth)[i]) : settle_place_alone(tile, i);
            auto time = Instant::min();
            check_contents(tile, sound, time);
        }
    }

    bool settle_place(const Tile& tile, std::size_t place, const Digest& truth) {
        if (tile.stored[place] && tile.stored[place] != truth)
            report(tile_hash_name(0, tile.number, place), "is not the hash of its entry");
        if (place >= tile.hashes.size()) return false;
        if (tile.hashes[place] == truth) return true;
        report(entry_name(tile.first + place), "is not what was logged");
        return false;
    }

    bool settle_place_alone(const Tile& tile, std::size_t place) {
        if (tile.stored[place] && place < tile.hashes.size() && !tile.agrees(place))
            report(entry_name(tile.first + place) + " and " + tile_hash_name(0, tile.number, place),
                   "disagree, and which is right cannot be told");
        return tile.agrees(place);
    }

    /// What the entries that are sound say, and the bodies they name.
    void check_contents(const Tile& tile, const std::vector<bool>& sound, Instant& last_time) {
        std::vector<std::optional<log::Leaf>> leaves(tile.width());
        if (tile.entries.size() < tile.width()) unread_to_ = std::max(unread_to_, tile.first + tile.width());
        for (std::size_t i = 0; i < tile.entries.size(); ++i) {
            auto leaf = sound[i] ? log::decode_leaf(tile.entries[i]) : refuse(Reason::malformed, "");
            if (!leaf) unread_to_ = std::max(unread_to_, tile.first + i + 1);
            if (!sound[i]) continue;
            if (!leaf) {
                report(entry_name(tile.first + i), "is no leaf: " + leaf.error().where);
                continue;
            }
            check_leaf(*leaf, tile.first + i, last_time);
            leaves[i] = *std::move(leaf);
        }
        check_bodies(tile, leaves);
    }

    void check_leaf(const log::Leaf& leaf, std::uint64_t index, Instant& last_time) {
        if (leaf.index != index)
            report(entry_name(index), "says that it is entry " + std::to_string(leaf.index));
        if (leaf.time < last_time) report(entry_name(index), "is older than the one before it");
        last_time = std::max(last_time, leaf.time);
        note_texts(leaf, index);
        erased_.insert(erased_.end(), leaf.erased.begin(), leaf.erased.end());
    }

    /// What texts this entry says were in force.
    void note_texts(const log::Leaf& leaf, std::uint64_t index) {
        if (auto path = text_set_by(leaf))
            policies_.emplace(*std::move(path), index);
        else if (puts_text_in_force(leaf.kind))
            report(entry_name(index), "says that another text is in force, and not which");
        if (!leaf.agreement || leaf.agreement == last_agreement_) return;
        last_agreement_ = leaf.agreement;
        policies_.emplace(agreement_path(*leaf.agreement), index);
    }

    /// A body may be gone because it was erased, and for no other reason. Where an entry behind it is damaged, which is
    /// named, that one may have said so.
    void check_absent() {
        std::ranges::sort(erased_);
        std::ranges::sort(absent_);
        auto erasure = erased_.begin();
        std::uint64_t erased_to = 0;  // by erasures that begin no later than the body at hand
        for (const auto index : absent_) {
            for (; erasure != erased_.end() && erasure->first <= index; ++erasure)
                erased_to = std::max(erased_to, erasure->last + 1);
            if (index < erased_to)
                ++result_.bodies_erased;
            else if (index < unread_to_)
                ++result_.bodies_absent;
            else
                report("body of " + entry_name(index), "is not here, and no entry says that it was erased");
        }
    }

    void check_bodies(const Tile& tile, const std::vector<std::optional<log::Leaf>>& leaves) {
        const auto name = path_of({Piece::Of::bodies, 0, tile.number, tile.width()});
        const auto file = MappedFile::open(directory_ / name);
        if (!file && !has_bodies_) {
            for (const auto& leaf : leaves) result_.bodies_absent += leaf && leaf->body ? 1 : 0;
            return;
        }
        if (!file) return report("file " + name, "is missing");
        const auto judge = [&](std::size_t place, BytesView body) {
            const auto& leaf = leaves[place];
            if (!leaf || (leaf->body && body.empty())) return Verdict::unknown;
            const bool right = leaf->body ? crypto::sha256(body) == *leaf->body : body.empty();
            return right ? Verdict::right : Verdict::wrong;
        };
        const auto keys = path_of({Piece::Of::keys, 0, tile.number, tile.width()});
        if (is_sealed_ && !fs::is_regular_file(directory_ / keys)) report("file " + keys, "is missing");
        const auto found = items_of(file->bytes(), Prefix::body, tile.width(), judge);
        if (found.damaged_length)
            report("body of " + entry_name(tile.first + *found.damaged_length), "its length is damaged");
        if (found.runs_on) report("file " + name, "goes on after its last body");
        const auto there = found.items.size();
        if (there < tile.width())
            report("bodies of " + entries_name(tile.first + there, tile.width() - there),
                   "the file ends before them or cannot be read");
        for (std::size_t i = 0; i < there; ++i) {
            const auto& leaf = leaves[i];
            const auto verdict = judge(i, found.items[i]);
            if (verdict == Verdict::wrong)
                report("body of " + entry_name(tile.first + i),
                       leaf->body ? "is not the one the entry names" : "is there, and the entry has none");
            if (verdict == Verdict::right && leaf->body) ++result_.bodies;
            if (verdict == Verdict::unknown && leaf) absent_.push_back(tile.first + i);
        }
    }

    /// Each text that was in force has to be here, and no other: whoever adds one wants somebody to believe it.
    void check_policies() {
        std::error_code none;
        for (const auto& file : fs::directory_iterator{directory_ / "policies", none}) {
            const auto name = file.path().filename().string();
            const auto content = MappedFile::open(file.path());
            if (!content || !is_policy_name(name)) continue;  // check_for_more names it
            if (!name.starts_with(to_hex(crypto::sha256(content->bytes()))))
                report("policy " + name, "is not the text of this digest");
            else if (unread_to_ == 0 && !policies_.contains("policies/" + name))
                report("policy " + name, "is not named by any entry");
        }
        for (const auto& [path, index] : policies_)
            if (!fs::exists(directory_ / path))
                report("policy " + path.substr(std::string_view{"policies/"}.size()),
                       "is missing: " + entry_name(index) + " names it");
    }

    void check_key() {
        const auto file = MappedFile::open(directory_ / "vkey");
        if (!file) return report("file vkey", "is missing");
        auto line = text(file->bytes());
        if (line.ends_with('\n')) line.remove_suffix(1);
        const auto key = log::VerifierKey::parse(line);
        if (!key || !policy_.trusts(*key)) report("vkey", "is not a key you trust");
    }

    void check_terms() {
        if (!is_sealed_ && (has_bodies_ || fs::exists(directory_ / "keys")))
            report("file sealed-for", "is missing");
    }

    /// Whoever adds a file to an export wants somebody to believe it.
    void check_for_more() {
        for (const auto& file : fs::recursive_directory_iterator{directory_}) {
            if (file.is_directory() && !file.is_symlink()) continue;
            const auto path = file.path().lexically_relative(directory_).generic_string();
            const auto piece = piece_at(path);
            const bool known = path == "checkpoint" || path == "vkey" || path == "sealed-for" ||
                               (piece && belongs(*piece, result_.size)) ||
                               (path.starts_with("policies/") && is_policy_name(path.substr(9)));
            if (known && file.is_regular_file() && !file.is_symlink()) continue;
            report("file " + printable(path), is_leftover(path, result_.size)
                                                  ? "is not of this head; an export under way or broken off "
                                                    "leaves such, until the next is done"
                                                  : "does not belong to the export");
        }
    }

    const fs::path& directory_;
    const log::Policy& policy_;
    Report report_ = [this](std::string what, std::string why) { report(std::move(what), std::move(why)); };
    Verification result_;
    std::string head_;                     // the file, as it was when it was read
    std::vector<std::uint64_t> doubtful_;  // tiles that disagree with their entries, ascending
    Instant last_time_ = Instant::min();
    const bool is_sealed_ = fs::exists(directory_ / "sealed-for");
    const bool has_bodies_ = is_sealed_ || fs::exists(directory_ / "bodies");
    std::map<std::string, std::uint64_t> policies_;  // files that entries name, and one that does
    std::optional<Digest> last_agreement_;           // named
    std::vector<log::IndexRange> erased_;            // as sound entries say
    std::uint64_t unread_to_ = 0;                    // entries from here on could all be read
    std::vector<std::uint64_t> absent_;              // bodies a sealed export lacks
};

nlohmann::json in_json(const std::vector<Damage>& damages) {
    auto list = nlohmann::json::array();
    for (const auto& damage : damages)
        list.push_back({
            {"what", damage.what},
            {"why",  damage.why }
        });
    return list;
}

void tell_damages(std::ostream& out, const std::vector<Damage>& damages, std::uint64_t count) {
    for (const auto& damage : damages) out << damage.what << ": " << damage.why << "\n";
    if (count > damages.size()) out << "and " << count - damages.size() << " more\n";
}

std::string count_of(std::uint64_t count, const char* one, const char* several) {
    return std::to_string(count) + " " + (count == 1 ? one : several);
}

}  // namespace

Verification verify(const fs::path& directory, const log::Policy& policy, const Progress& progress) {
    for (int reading = 1;; ++reading) {
        Verifier verifier{directory, policy};
        auto verification = verifier.run(progress);
        if (verification.verified() || !verifier.was_replaced() || reading == readings_max)
            return verification;
    }
}

void tell(std::ostream& out, const Verification& verification, bool json, const Signatures* signatures) {
    const auto& v = verification;
    if (json) {
        nlohmann::json object{
            {"verified",        v.verified()      },
            {"origin",          v.origin          },
            {"size",            v.size            },
            {"root",            to_hex(v.root)    },
            {"witnesses",       v.witnesses       },
            {"witnesses_known", v.witnesses_known },
            {"bodies",          v.bodies          },
            {"bodies_erased",   v.bodies_erased   },
            {"bodies_absent",   v.bodies_absent   },
            {"damage_count",    v.damage_count    },
            {"damages",         in_json(v.damages)},
        };
        if (signatures != nullptr)
            object["signatures"] = {
                {"held",         signatures->held            },
                {"unreadable",   signatures->unreadable      },
                {"of_lists",     signatures->of_lists        },
                {"damage_count", signatures->damage_count    },
                {"damages",      in_json(signatures->damages)},
            };
        out << object.dump() << "\n";
        return;
    }
    tell_damages(out, v.damages, v.damage_count);
    if (signatures != nullptr) tell_damages(out, signatures->damages, signatures->damage_count);
    if (signatures != nullptr) out << in_words(*signatures) << "\n";
    if (!v.verified()) {
        out << "NOT VERIFIED: " << count_of(v.damage_count, "thing is", "things are") << " damaged\n";
        return;
    }
    out << "verified: " << v.origin << ", " << count_of(v.size, "entry", "entries") << ", root "
        << to_hex(v.root) << "\n"
        << count_of(v.bodies, "body is", "bodies are") << " the ones their entries name; "
        << count_of(v.bodies_erased, "is", "are") << " gone, each with an entry that says it was erased";
    if (v.bodies_absent > 0)
        out << "; " << count_of(v.bodies_absent, "is", "are") << " not part of this export";
    out << "\n";
    if (v.witnesses_known > 0)
        out << v.witnesses.size() << " of " << count_of(v.witnesses_known, "known witness", "known witnesses")
            << " cosigned this head\n";
}

}  // namespace flagpost::auditor
