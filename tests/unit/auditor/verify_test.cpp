#include "adapters/auditor/verify.h"

#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <sstream>

#include "adapters/auditor/items.h"
#include "tests/support/catch.h"
#include "tests/unit/auditor/sample_log.h"

using namespace flagpost;
using namespace flagpost::auditor;
namespace fs = std::filesystem;
using test::SampleLog;

namespace {

using Names = std::set<std::string>;

const log::Policy trust = log::Policy::of_log(test::log_vkey());

struct ExportOnDisk {
    test::TemporaryDirectory temporary;
    fs::path directory = temporary.path() / "export";

    explicit ExportOnDisk(SampleLog& log) {
        write_export(log, test::log_vkey(), directory, test::sample_terms());
    }
    explicit ExportOnDisk(std::uint64_t size) {
        SampleLog log{size};
        write_export(log, test::log_vkey(), directory, test::sample_terms());
    }
    Verification check() const { return verify(directory, trust); }
    /// What is said to be damaged.
    Names damaged() const {
        Names names;
        for (const auto& damage : check().damages) names.insert(damage.what);
        return names;
    }
    std::string read(const std::string& name) const { return test::read_file(directory / name); }
    void write(const std::string& name, std::string_view content) const {
        test::write_file(directory / name, content);
    }
    void change_byte(const std::string& name, std::size_t at, int mask = 1) const {
        auto content = read(name);
        content.at(at) = static_cast<char>(content.at(at) ^ mask);
        write(name, content);
    }
    void cut(const std::string& name, std::size_t bytes) const {
        const auto content = read(name);
        write(name, std::string_view{content}.substr(0, content.size() - bytes));
    }
    void change_item(const std::string& name, Prefix prefix, std::size_t place,
                     const std::function<void(Bytes&)>& change) const {
        const auto content = read(name);
        const auto judge = [](std::size_t, BytesView) { return Verdict::unknown; };
        const auto count = piece_at(name)->width;
        Bytes changed;
        std::size_t at = 0;
        for (const auto item : items_of(view(content), prefix, count, judge).items) {
            auto bytes = copy(item);
            if (at++ == place) change(bytes);
            append_item(changed, prefix, bytes);
        }
        write(name, text(changed));
    }
    static bool is_of_terms(const std::string& name) {
        return name == "sealed-for" || name.starts_with("keys/");
    }
    std::vector<std::string> files() const {
        std::vector<std::string> names;
        for (const auto& file : fs::recursive_directory_iterator{directory})
            // Terms prove nothing; and what is sealed gives itself away to whoever opens it (decisions_test.cpp).
            if (file.is_regular_file() &&
                !is_of_terms(file.path().lexically_relative(directory).generic_string()))
                names.push_back(file.path().lexically_relative(directory).generic_string());
        std::ranges::sort(names);
        return names;
    }
};

/// What verify should call the byte `at` of a file.
std::string name_of_byte(const std::string& file, std::string_view content, std::size_t at) {
    const auto piece = piece_at(file);
    if (!piece) return file.starts_with("policies/") ? "policy " + file.substr(9) : file;
    if (piece->of == Piece::Of::hashes)
        return "tile " + std::to_string(piece->level) + "/" + std::to_string(piece->number) + " hash " +
               std::to_string(at / 32);
    const std::size_t prefix = piece->of == Piece::Of::entries ? 2 : 4;
    std::uint64_t index = piece->number * 256;
    for (std::size_t end = 0;; ++index) {
        std::size_t length = 0;
        for (std::size_t i = 0; i < prefix; ++i)
            length = length << 8 | static_cast<std::uint8_t>(content[end + i]);
        end += prefix + length;
        if (at < end) break;
    }
    return (piece->of == Piece::Of::bodies ? "body of entry " : "entry ") + std::to_string(index);
}

}  // namespace

TEST_CASE("an export of any size verifies, and says what it found", "[auditor]") {
    for (const std::uint64_t size : {1, 2, 255, 256, 257, 511, 512, 600}) {
        CAPTURE(size);
        SampleLog log{size};
        const ExportOnDisk exported{log};
        const auto result = exported.check();
        CHECK(result.damages.empty());
        CHECK(result.verified());
        CHECK(result.size == size);
        CHECK(result.origin == test::log_name);
        CHECK(log::Checkpoint{test::log_name, size, result.root}.format() ==
              log.head().substr(0, log.head().find("\n\n") + 1));
        CHECK(result.bodies == (size - 1) / 3);
        CHECK(result.bodies_absent == 0);
    }
}

TEST_CASE("a log that has nothing in it yet verifies too", "[auditor]") {
    const test::TemporaryDirectory temporary;
    const auto head = [](const Digest& root) {
        const auto text = log::Checkpoint{test::log_name, 0, root}.format();
        return log::SignedNote{text, {log::sign_note(text, test::log_name, test::log_key())}}.format();
    };
    temporary.write("export/checkpoint", head(log::empty_root()));
    temporary.write("export/vkey", test::log_vkey().text() + "\n");
    CHECK(verify(temporary.path() / "export", trust).verified());
    temporary.write("export/checkpoint", head(Digest{1}));
    CHECK_FALSE(verify(temporary.path() / "export", trust).verified());
}

TEST_CASE("any byte changed anywhere is found, and its place is named", "[auditor]") {
    SampleLog log{600};
    log.erase(3);
    log.erase(300);
    log::Leaf erased;
    erased.kind = log::LeafKind::erased;
    erased.erased = {
        {3,   3  },
        {300, 300}
    };
    log.append(erased, {});
    const ExportOnDisk exported{log};
    REQUIRE(exported.check().verified());
    std::mt19937 random{20260302};
    std::size_t changed = 0;
    for (const auto& file : exported.files()) {
        const auto content = exported.read(file);
        std::set<std::size_t> places{0, 1, 2, 3, content.size() - 1};
        for (int i = 0; i < 60; ++i) places.insert(random() % content.size());
        for (const auto at : places) {
            const int mask = 1 + static_cast<int>(random() % 255);
            CAPTURE(file, at, mask);
            exported.change_byte(file, at, mask);
            REQUIRE(exported.damaged() == Names{name_of_byte(file, content, at)});
            exported.write(file, content);
            ++changed;
        }
    }
    REQUIRE(exported.check().verified());
    CHECK(changed > 500);
}

TEST_CASE("in a log of more than 65,536 entries too", "[auditor]") {
    const ExportOnDisk exported{66'000};
    REQUIRE(exported.check().verified());
    const std::vector<std::pair<std::string, std::size_t>> rows{
        {"tile/2/000.p/1",         5    },
        {"tile/1/000",             70   },
        {"tile/1/000",             8191 },
        {"tile/1/001.p/1",         31   },
        {"tile/0/000",             0    },
        {"tile/0/255",             8191 },
        {"tile/0/256",             4000 },
        {"tile/0/257.p/208",       6000 },
        {"tile/entries/000",       1000 },
        {"tile/entries/255",       20000},
        {"tile/entries/257.p/208", 20000},
        {"bodies/123",             2000 },
    };
    for (const auto& [file, at] : rows) {
        CAPTURE(file, at);
        const auto content = exported.read(file);
        exported.change_byte(file, at);
        REQUIRE(exported.damaged() == Names{name_of_byte(file, content, at)});
        exported.write(file, content);
    }
}

TEST_CASE("all damages are named, not only the first", "[auditor]") {
    const ExportOnDisk exported{600};
    const auto entry = [&](std::size_t place) {
        exported.change_item("tile/entries/000", Prefix::entry, place, [](Bytes& bytes) { bytes[20] ^= 1; });
    };
    entry(7);
    entry(77);
    exported.change_byte("tile/0/000", 32 * 9);
    exported.change_byte("tile/0/001", 32 * 200 + 5);
    exported.change_byte("tile/1/000.p/2", 0);
    exported.change_item("bodies/001", Prefix::body, 2, [](Bytes& bytes) { bytes.back() ^= 1; });
    exported.change_item("bodies/002.p/88", Prefix::body, 1, [](Bytes& bytes) { bytes.back() ^= 1; });
    exported.write("notes.txt", "hello");
    CHECK(exported.damaged() == Names{"entry 7", "entry 77", "tile 0/0 hash 9", "tile 0/1 hash 200",
                                      "tile 1/0 hash 0", "body of entry 258", "body of entry 513",
                                      "file notes.txt"});
}

TEST_CASE("an entry and its own tile hash, each damaged alone, are both named", "[auditor]") {
    const ExportOnDisk exported{300};
    exported.change_item("tile/entries/000", Prefix::entry, 5, [](Bytes& bytes) { bytes[30] ^= 1; });
    exported.change_byte("tile/0/000", 32 * 5);
    // Neither leads to the root, and what is right is nowhere.
    CHECK(exported.damaged().contains("entry 5 and tile 0/0 hash 5"));
}

TEST_CASE("an entry forged together with its tile does not pass", "[auditor]") {
    const ExportOnDisk exported{600};
    Bytes forged;
    exported.change_item("tile/entries/001", Prefix::entry, 4, [&](Bytes& bytes) {
        bytes[bytes.size() - 20] ^= 1;
        forged = bytes;
    });
    auto tile = exported.read("tile/0/001");
    const auto hash = log::leaf_hash(forged);
    std::ranges::copy(hash, tile.begin() + 4 * 32);
    exported.write("tile/0/001", tile);
    CHECK(exported.damaged() == Names{"entries 256 to 511"});
}

TEST_CASE("a log rewritten whole, without the log's key, does not pass", "[auditor]") {
    SampleLog log{400}, other{399};
    log::Leaf leaf;
    leaf.kind = log::LeafKind::consulted;
    other.append(leaf, {});
    const ExportOnDisk exported{log}, rewritten{other};
    const auto head = exported.read("checkpoint");
    rewritten.write("checkpoint", head);
    CHECK(rewritten.damaged() == Names{"root"});
}

TEST_CASE("what is missing, cut, too long or too much is named", "[auditor]") {
    struct Row {
        const char* why;
        std::function<void(const ExportOnDisk&)> spoil;
        Names damaged;
    };
    const auto remove = [](const char* name) {
        return [name](const ExportOnDisk& e) { fs::remove(e.directory / name); };
    };
    const auto add = [](const char* name, const char* content) {
        return [name, content](const ExportOnDisk& e) { e.write(name, e.read(name) + content); };
    };
    const auto cut = [](const char* name, std::size_t bytes) {
        return [name, bytes](const ExportOnDisk& e) { e.cut(name, bytes); };
    };
    const auto link = [](const ExportOnDisk& e) {
        fs::rename(e.directory / "bodies/000", e.temporary.path() / "elsewhere");
        fs::create_symlink(e.temporary.path() / "elsewhere", e.directory / "bodies/000");
    };
    const auto agreement = "policy " + to_hex(crypto::sha256(view("# the agreement\n"))) + ".toml";
    const auto no_agreement = [&](const ExportOnDisk& e) {
        fs::remove(e.directory / "policies" / agreement.substr(7));
    };
    const auto narrower = [](const ExportOnDisk& e) {
        e.write("tile/0/002.p/3", e.read("tile/0/002.p/88").substr(0, 96));
    };
    const std::vector<Row> rows{
        {"no checkpoint",           remove("checkpoint"),            {"file checkpoint"}           },
        {"no key",                  remove("vkey"),                  {"file vkey"}                 },
        {"a tile gone",             remove("tile/0/001"),            {"file tile/0/001"}           },
        {"the last tile gone",      remove("tile/0/002.p/88"),       {"file tile/0/002.p/88"}      },
        {"the tile above gone",     remove("tile/1/000.p/2"),        {"file tile/1/000.p/2"}       },
        {"entries gone",            remove("tile/entries/001"),      {"file tile/entries/001"}     },
        {"the last entries gone",   remove("tile/entries/002.p/88"), {"file tile/entries/002.p/88"}},
        {"bodies gone",             remove("bodies/001"),            {"file bodies/001"}           },
        {"keys gone",               remove("keys/001"),              {"file keys/001"}             },
        {"its terms gone",          remove("sealed-for"),            {"file sealed-for"}           },
        {"the agreement gone",      no_agreement,                    {agreement}                   },
        {"a tile cut",              cut("tile/0/000",                40),                            {"file tile/0/000"}},
        {"a tile with more",                         add("tile/0/000",                                       "more"),                             {"file tile/0/000"}},
        {"entries cut",      cut("tile/entries/000",                                     1),                           {"entry 255"}},
        {"entries with more",                       add("tile/entries/000",     "more"),         {"file tile/entries/000"}},
        {"bodies cut",cut("bodies/000", 60),{"bodies of entries 252 to 255"}},
        {"bodies with more",              add("bodies/000",                                                 "more"),                                                                            {"file bodies/000"}},
        {"a tile beyond the head",                         add("tile/0/003.p/1",                                       "hash"),                                        {"file tile/0/003.p/1"}},
        {"a narrower tile",      narrower,                                     {"file tile/0/002.p/3"}},
        {"a level too many",                  add("tile/2/000.p/1","hash"),{"file tile/2/000.p/1"}},
        {"another name for a tile",            add("tile/0/0","hash"),                                              {"file tile/0/0"}},
        {"a stray file",add("bodies/README",                         "read me"),                                                      {"file bodies/README"}},
        {"a policy of no digest", add("policies/mine.toml",       "x"),                                               {"file policies/mine.toml"}},
        {"a file behind a link",                         link,                                           {"file bodies/000"}                                                                  },
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        const ExportOnDisk exported{600};
        row.spoil(exported);
        CHECK(exported.damaged() == row.damaged);
    }
}

TEST_CASE(
    "a head that covers far more than is there takes neither time nor room, and what is not there is one "
    "damage",
    "[auditor]") {
    SampleLog log{600};
    const ExportOnDisk exported{log};
    const auto sign = [&](std::uint64_t size) {
        const auto text = log::Checkpoint{test::log_name, size, Digest{1}}.format();
        exported.write(
            "checkpoint",
            log::SignedNote{text, {log::sign_note(text, test::log_name, test::log_key())}}.format());
    };
    for (const std::uint64_t size :
         {std::uint64_t{1} << 20, std::uint64_t{1} << 40, std::uint64_t{1} << 62, ~std::uint64_t{0}}) {
        CAPTURE(size);
        sign(size);
        const Names beyond{"entries 600 to " + std::to_string(size - 1)};
        CHECK(exported.damaged() == beyond);
        // What is there is held against each other all the same.
        exported.change_byte("tile/0/001", 32 * 7);
        CHECK(exported.damaged() == Names{*beyond.begin(), "tile 0/1 hash 7"});
        exported.change_byte("tile/0/001", 32 * 7);
        // Nor does one file far out make the tree seem to be there.
        const auto far =
            path_of({Piece::Of::entries, 0, (size - 1) / 256, width_of(0, (size - 1) / 256, size)});
        exported.write(far, "");
        CHECK(exported.damaged() == Names{*beyond.begin(), "file " + far});
        fs::remove(exported.directory / far);
    }
    sign(601);
    CHECK(exported.damaged().contains("file tile/0/002.p/89"));
}

TEST_CASE("an export brought up to a newer head while it is read is read again", "[auditor]") {
    SampleLog log{600}, grown{700};
    const ExportOnDisk exported{log};
    int times = 0;
    const auto found = verify(exported.directory, trust, [&](std::uint64_t, std::uint64_t) {
        if (times++ == 0) write_export(grown, test::log_vkey(), exported.directory, test::sample_terms());
    });
    CHECK(found.damages.empty());
    CHECK(found.size == 700);
    // What is damaged stays so, however often it is read.
    exported.change_byte("tile/0/001", 0);
    CHECK(exported.damaged() == Names{"tile 0/1 hash 0"});
}

TEST_CASE("each text that was in force, then or now, is in the export, and no other", "[auditor]") {
    using log::LeafKind;
    SampleLog log{300};
    log.put_in_force(LeafKind::parties_set, "# the parties\n");
    log.put_in_force(LeafKind::keys_set, "# the keys\n");
    log.put_in_force(LeafKind::crl_set, "# revoked\n");
    log.put_in_force(LeafKind::crl_set, "# revoked, and one more\n");
    log.put_in_force(LeafKind::agreement_set, "# another agreement\n");
    log.put_in_force(LeafKind::agreement_set, SampleLog::agreement);
    struct Row {
        const char* text;
        const char* ending;
        const char* entry;
    };
    const std::vector<Row> rows{
        {SampleLog::agreement,        ".toml", "entry 0"  },
        {"# the parties\n",           ".toml", "entry 300"},
        {"# the keys\n",              ".toml", "entry 301"},
        {"# revoked\n",               ".pem",  "entry 302"},
        {"# revoked, and one more\n", ".pem",  "entry 303"},
        {"# another agreement\n",     ".toml", "entry 304"},
    };
    const auto name_of = [](const char* text, const char* ending) {
        return to_hex(crypto::sha256(view(std::string_view{text}))) + ending;
    };
    const ExportOnDisk exported{log};
    REQUIRE(exported.damaged().empty());
    for (const auto& row : rows) {
        CAPTURE(row.text);
        const auto name = name_of(row.text, row.ending);
        const auto file = "policies/" + name;
        REQUIRE(exported.read(file) == row.text);
        fs::remove(exported.directory / file);
        const auto without = exported.check().damages;
        REQUIRE(without.size() == 1);
        CHECK(without[0] == Damage{"policy " + name, std::string{"is missing: "} + row.entry + " names it"});
        for (const auto* other : {"", "# another text\n"}) {
            exported.write(file, other);
            const auto altered = exported.check().damages;
            REQUIRE(altered.size() == 1);
            CHECK(altered[0] == Damage{"policy " + name, "is not the text of this digest"});
        }
        exported.write(file, row.text);
        REQUIRE(exported.damaged().empty());
    }
    const auto planted = name_of("# to be believed\n", ".toml");
    exported.write("policies/" + planted, "# to be believed\n");
    CHECK(exported.damaged() == Names{"policy " + planted});
}

TEST_CASE("a text that no broker has, or that is another, is exported as it is, for verify to name",
          "[auditor]") {
    class Forgetful final : public Source {
    public:
        std::string checkpoint() override { return log_.checkpoint(); }
        log::TileHashes tile(log::TileId id, std::size_t width) override { return log_.tile(id, width); }
        std::vector<Bytes> entries(std::uint64_t from, std::size_t count) override {
            return log_.entries(from, count);
        }
        std::vector<Bytes> bodies(std::uint64_t from, std::size_t count) override {
            return log_.bodies(from, count);
        }
        Bytes keys(std::uint64_t from, std::size_t count, const SealedTerms& terms) override {
            return log_.keys(from, count, terms);
        }
        std::optional<std::string> setting(std::uint64_t) override { return said; }

        std::optional<std::string> said;

    private:
        SampleLog log_{20};
    };
    const auto name =
        "policy " + to_hex(crypto::sha256(view(std::string_view{SampleLog::agreement}))) + ".toml";
    for (const auto& said : {std::optional<std::string>{}, std::optional<std::string>{"# another\n"}}) {
        const test::TemporaryDirectory temporary;
        Forgetful source;
        source.said = said;
        write_export(source, test::log_vkey(), temporary.path() / "export");
        const auto found = verify(temporary.path() / "export", trust);
        REQUIRE(found.damages.size() == 1);
        CHECK(found.damages[0].what == name);
    }
}

TEST_CASE("an entry is held to the agreement it names, whoever put that in force", "[auditor]") {
    SampleLog log{20};
    log::Leaf leaf;
    leaf.kind = log::LeafKind::decided;
    leaf.agreement = Digest{9};
    log.append(leaf, {});
    leaf = {};
    leaf.kind = log::LeafKind::crl_set;
    log.append(leaf, {});
    const ExportOnDisk exported{log};
    CHECK(exported.damaged() == Names{"policy " + to_hex(Digest{9}) + ".toml", "entry 21"});
}

TEST_CASE("an export brought up to a newer head has the texts of both", "[auditor]") {
    SampleLog log{300};
    const ExportOnDisk exported{log};
    log.put_in_force(log::LeafKind::crl_set, "# revoked\n");
    write_export(log, test::log_vkey(), exported.directory, test::sample_terms());
    CHECK(exported.damaged().empty());
    CHECK(exported.read("policies/" + to_hex(crypto::sha256(view("# revoked\n"))) + ".pem") == "# revoked\n");
}

TEST_CASE("an export is believed by the key given, not by the one in it", "[auditor]") {
    const ExportOnDisk exported{10};
    const log::VerifierKey other{test::log_name, log::VerifierKey::Type::note,
                                 crypto::NoteKey::from_seed({8}).public_key()};
    const auto result = verify(exported.directory, log::Policy::of_log(other));
    CHECK_FALSE(result.verified());
    CHECK(result.origin.empty());
    Names names;
    for (const auto& damage : result.damages) names.insert(damage.what);
    CHECK(names == Names{"checkpoint", "vkey"});
}

TEST_CASE("the witnesses the policy asks for are counted, and asked for", "[auditor]") {
    SampleLog log{10};
    const ExportOnDisk exported{log};
    const auto witness = crypto::NoteKey::from_seed({9});
    const log::VerifierKey key{"police/31", log::VerifierKey::Type::cosignature, witness.public_key()};
    const auto policy = [&](const char* quorum) {
        return *log::Policy::parse("log " + test::log_vkey().text() + "\nwitness police " + key.text() +
                                   "\nquorum " + quorum + "\n");
    };
    CHECK(verify(exported.directory, policy("none")).verified());
    CHECK_FALSE(verify(exported.directory, policy("police")).verified());
    auto note = log::SignedNote::parse(log.head()).value();
    note.signatures.push_back(
        log::cosign_note(note.text, "police/31", witness, from_us(1'772'487'612'000'000)));
    exported.write("checkpoint", note.format());
    const auto result = verify(exported.directory, policy("police"));
    CHECK(result.verified());
    CHECK(result.witnesses == std::vector<std::string>{"police"});
}

TEST_CASE("an honest signature over dishonest leaves does not help", "[auditor]") {
    struct Row {
        const char* why;
        std::function<void(SampleLog&)> append;
        const char* damage;
    };
    log::Leaf leaf;
    leaf.kind = log::LeafKind::consulted;
    const auto misplaced = [=](SampleLog& log) mutable {
        leaf.index = 5;
        log.append(leaf, {});
    };
    const auto backdated = [=](SampleLog& log) mutable {
        leaf.time = from_us(1'772'487'612'000'000);
        log.append(leaf, {});
    };
    const auto nonsense = [](SampleLog& log) { log.append_bytes(Bytes(64, 'x'), {}); };
    const auto unnamed_body = [=](SampleLog& log) mutable {
        leaf.index = 20;
        leaf.time = from_us(1'772'487'700'000'000);
        log.append_bytes(log::encode(leaf), Bytes(20, 'b'));
    };
    const auto other_body = [=](SampleLog& log) mutable {
        leaf.index = 20;
        leaf.time = from_us(1'772'487'700'000'000);
        leaf.body = Digest{1};
        log.append_bytes(log::encode(leaf), Bytes(20, 'b'));
    };
    const std::vector<Row> rows{
        {"a leaf that says another place", misplaced,    "entry 20"        },
        {"a leaf of an earlier time",      backdated,    "entry 20"        },
        {"an entry that is no leaf",       nonsense,     "entry 20"        },
        {"a body the leaf does not name",  unnamed_body, "body of entry 20"},
        {"another body than the leaf's",   other_body,   "body of entry 20"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        SampleLog log{20};
        row.append(log);
        const ExportOnDisk exported{log};
        CHECK(exported.damaged() == Names{row.damage});
    }
}

TEST_CASE("a body may be gone only if an entry says that it was erased", "[auditor]") {
    SampleLog log{700};
    for (const std::uint64_t index : {6, 9, 300, 303, 306}) log.erase(index);
    log::Leaf leaf;
    leaf.kind = log::LeafKind::erased;
    leaf.erased = {
        {6,   6  },
        {300, 306}
    };
    log.append(leaf, {});
    leaf.erased = {
        {303, 303}
    };  // said twice is no fault
    log.append(leaf, {});
    const ExportOnDisk exported{log};
    CHECK(exported.damaged() == Names{"body of entry 9"});
    CHECK(exported.check().damages.at(0).why == "is not here, and no entry says that it was erased");
    CHECK(exported.check().bodies_erased == 4);
    CHECK(exported.check().bodies_absent == 0);

    leaf.erased = {
        {9, 9}
    };
    log.append(leaf, {});
    const ExportOnDisk told{log};
    CHECK(told.check().verified());
    CHECK(told.check().bodies_erased == 5);
    CHECK(told.check().bodies == 233 - 5);
}

TEST_CASE("a body taken out of an export is missed", "[auditor]") {
    SampleLog log{30};
    const ExportOnDisk exported{log};
    exported.change_item("bodies/000.p/30", Prefix::body, 12, [](Bytes& bytes) { bytes.clear(); });
    CHECK(exported.damaged() == Names{"body of entry 12"});
}

TEST_CASE("a body that an export kept from before its erasure is no damage", "[auditor]") {
    SampleLog log{30};
    log::Leaf leaf;
    leaf.kind = log::LeafKind::erased;
    leaf.erased = {
        {6, 6}
    };
    log.append(leaf, {});
    const ExportOnDisk exported{log};
    CHECK(exported.check().verified());
    CHECK(exported.check().bodies_erased == 0);
}

TEST_CASE("bodies that change places are found, and erased ones are counted", "[auditor]") {
    SampleLog log{30};
    const ExportOnDisk exported{log};
    CHECK(exported.check().verified());
    CHECK(exported.check().bodies == 9);

    Bytes third, twelfth;
    exported.change_item("bodies/000.p/30", Prefix::body, 3, [&](Bytes& bytes) { third = bytes; });
    exported.change_item("bodies/000.p/30", Prefix::body, 12,
                         [&](Bytes& bytes) { twelfth = std::exchange(bytes, third); });
    exported.change_item("bodies/000.p/30", Prefix::body, 3, [&](Bytes& bytes) { bytes = twelfth; });
    CHECK(exported.damaged() == Names{"body of entry 3", "body of entry 12"});
}

TEST_CASE("a hundred entries damaged in one tile are a hundred names", "[auditor]") {
    const ExportOnDisk exported{600};
    Names expected;
    for (std::size_t place = 0; place < 100; ++place) {
        exported.change_item("tile/entries/000", Prefix::entry, place, [](Bytes& bytes) { bytes[20] ^= 1; });
        expected.insert("entry " + std::to_string(place));
    }
    CHECK(exported.damaged() == expected);
}

TEST_CASE("the answer in JSON says the same as the one in words", "[auditor]") {
    const ExportOnDisk exported{10};
    std::ostringstream good, bad, words;
    tell(good, exported.check(), true);
    auto json = nlohmann::json::parse(good.str());
    CHECK(json["verified"] == true);
    CHECK(json["size"] == 10);
    CHECK(json["damages"].empty());
    exported.change_byte("vkey", 0);
    tell(bad, exported.check(), true);
    json = nlohmann::json::parse(bad.str());
    CHECK(json["verified"] == false);
    CHECK(json["damages"][0]["what"] == "vkey");
    tell(words, exported.check(), false);
    CHECK(words.str().find("NOT VERIFIED") != std::string::npos);
    CHECK(words.str().find("vkey: is not a key you trust") != std::string::npos);
}
