#include "adapters/client/load.h"

#include <numeric>

#include "adapters/client/text.h"
#include "broker/crypto/digest.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace flagpost;
using namespace flagpost::client;

namespace {

Load load_of(std::size_t count, std::size_t record_size) {
    Load load{schemas::LoadOf::flags, schemas::LoadMode::full, 7, "", "flags/E10000024", "flags.csv", {}};
    for (std::size_t i = 0; i < count; ++i)
        load.records.emplace_back(record_size, static_cast<std::uint8_t>(i));
    return load;
}

const schemas::LoadPart* part_in(const wire::Draft& draft) {
    return wire::read_table<schemas::LoadPart>(draft.payload, "part").value();
}

}  // namespace

TEST_CASE("a load goes out whole, in parts that fit a message", "[client]") {
    const auto [why, count, size, parts] =
        GENERATE(table<const char*, std::size_t, std::size_t, std::size_t>({
            {"one record",                          1,    10,      1},
            {"exactly a part's records",            1000, 10,      1},
            {"one more",                            1001, 10,      2},
            {"bytes fill a part before records do", 10,   100'000, 3},
    }));
    CAPTURE(why);
    const Load load = load_of(count, size);
    const Id16 id{1, 2, 3};
    const auto drafts = drafts_of(load, id);

    REQUIRE(drafts.size() == parts + 2);
    const auto* begin = wire::read_table<schemas::LoadBegin>(drafts.front().first.payload, "begin").value();
    CHECK(begin->count() == count);
    CHECK(begin->sequence() == 7);
    Bytes all, sent;
    for (const Bytes& record : load.records) all.insert(all.end(), record.begin(), record.end());
    CHECK(text({begin->digest()->data(), begin->digest()->size()}) == text(crypto::sha256(all)));

    std::size_t records = 0;
    for (std::size_t i = 0; i < parts; ++i) {
        const auto* part = part_in(drafts[i + 1].first);
        CHECK(part->part() == i);
        CHECK(part->records()->size() <= limits::load_part_records_max);
        CHECK(drafts[i + 1].first.payload.size() <= limits::payload_size_max);
        records += part->records()->size();
        for (const auto* record : *part->records())
            sent.insert(sent.end(), record->bytes()->begin(), record->bytes()->end());
    }
    CHECK(records == count);
    CHECK(sent == all);
    const auto* commit = wire::read_table<schemas::LoadCommit>(drafts.back().first.payload, "commit").value();
    CHECK(commit->parts() == parts);
    for (const auto& [draft, source] : drafts) {
        CHECK(draft.topic == "flags/E10000024");
        CHECK(source == "flags.csv");
    }
}

TEST_CASE("an empty list is a mistake, and is not sent", "[client]") {
    CHECK_THROWS_AS(drafts_of(load_of(0, 10), Id16{}), std::invalid_argument);
}

TEST_CASE("a record too large for any message is not begun", "[client]") {
    CHECK_THROWS_AS(drafts_of(load_of(1, limits::payload_size_max), Id16{}), std::invalid_argument);
}

namespace {

const std::string long_cell = "2," + std::string(csv_cell_size_max + 1, 'x');
const std::string utf_16("i\0d\0,\0n\0\n\0", 10);
const std::string wide(csv_columns_max, ',');

CsvFile read(const test::TemporaryDirectory& directory, std::string_view content) {
    auto file = CsvFile::read(directory.write("file.csv", content));
    REQUIRE(file);
    return std::move(*file);
}

}  // namespace

TEST_CASE("a CSV file is read as its writer meant it", "[client]") {
    const auto [why, content, name] = GENERATE(table<const char*, std::string, const char*>({
        {"plain",                                  "id,name\n1,Zoe\n",                       "Zoe"               },
        {"CR LF",                                  "id,name\r\n1,Zoe\r\n",                   "Zoe"               },
        {"CR alone, from an old Macintosh",        "id,name\r1,Zoe\r",                       "Zoe"               },
        {"no line end at the end",                 "id,name\n1,Zoe",                         "Zoe"               },
        {"byte order mark",                        "\xEF\xBB\xBFid,name\n1,Zoe\n",           "Zoe"               },
        {"byte order mark before a quoted header", "\xEF\xBB\xBF\"id\",\"name\"\n1,Zoe\n",   "Zoe"               },
        {"UTF-8",                                  "id,name\n1,Zo\xC3\xAB\n",                "Zo\xC3\xAB"        },
        {"Windows-1252",                           "id,name\n1,Zo\xEB\n",                    "Zo\xC3\xAB"        },
        {"Windows-1252 with its own punctuation",  "id,name\n1,O\x92Neill\n",                "O\xE2\x80\x99Neill"},
        {"comma in quotes",                        "id,name\n1,\"Smith, Zoe\"\n",            "Smith, Zoe"        },
        {"quote in quotes",                        "id,name\n1,\"Zoe \"\"Zed\"\" Smith\"\n", "Zoe \"Zed\" Smith" },
        {"line end in quotes",                     "id,name\n1,\"Zoe\r\nSmith\"\n",          "Zoe\r\nSmith"      },
        {"blanks around a cell",                   "id,name\n1,  Zoe  \n",                   "Zoe"               },
        {"blanks around a header",                 "id , name\n1,Zoe\n",                     "Zoe"               },
        {"empty lines between",                    "\n\nid,name\n\n\n1,Zoe\n\n",             "Zoe"               },
        {"a cell that is empty",                   "id,name\n1,\n",                          ""                  },
    }));
    CAPTURE(why);
    const test::TemporaryDirectory directory;
    const auto file = read(directory, content);
    CHECK(file.bad_rows().empty());
    REQUIRE(file.rows().size() == 1);
    CHECK(file.header() == std::vector<std::string>{"id", "name"});
    CHECK(file.rows()[0].cells.at("name") == name);
}

TEST_CASE("a bad row is named by its line and takes no other row with it", "[client]") {
    const auto [why, row] = GENERATE(table<const char*, std::string>({
        {"a cell too few",                   "2"                     },
        {"a cell too many",                  "2,Ann,x"               },
        {"a quote never closed",             "2,\"Ann"               },
        {"a quote inside an unquoted cell",  "2,A\"nn"               },
        {"text after a closing quote",       "2,\"Ann\"x"            },
        {"a bell",                           "2,A\ann"               },
        {"a delete",                         "2,A\x7Fnn"             },
        {"a replacement character",          "2,A\xEF\xBF\xBDnn"     },
        {"a cell beyond the bound",          long_cell               },
        {"quotes that close in a later row", "2,\"Ann\n3,\"\"Bob\"\""},
    }));
    CAPTURE(why);
    const test::TemporaryDirectory directory;
    const auto file = read(directory, "id,name\n1,Zoe\n" + row + "\n4,\"Dan\"\n5,Eve\n");
    REQUIRE_FALSE(file.bad_rows().empty());
    CHECK(file.bad_rows()[0].line == 3);
    CHECK_FALSE(file.bad_rows()[0].why.empty());
    REQUIRE(file.rows().size() >= 3);
    CHECK(file.rows().front().cells.at("name") == "Zoe");
    CHECK(file.rows()[file.rows().size() - 2].cells.at("name") == "Dan");
    CHECK(file.rows().back().cells.at("name") == "Eve");
}

TEST_CASE("lines are counted as an editor counts them", "[client]") {
    const test::TemporaryDirectory directory;
    const auto file = read(directory, "id,name\r\n1,\"two\r\nlines\"\r\n\r\n2,Ann\r\nx\r\n3,Bob\r\n");
    REQUIRE(file.rows().size() == 3);
    CHECK(file.rows()[0].line == 2);
    CHECK(file.rows()[1].line == 5);
    CHECK(file.bad_rows().at(0).line == 6);
    CHECK(file.rows()[2].line == 7);
}

TEST_CASE("a byte that Windows-1252 does not define is not text", "[client]") {
    const test::TemporaryDirectory directory;
    const auto file = read(directory, "id,name\n1,Z\x81oe\n2,Ann\n");
    CHECK(file.bad_rows().at(0).line == 2);
    CHECK(file.rows().at(0).cells.at("name") == "Ann");
}

TEST_CASE("a file without a usable header is refused", "[client]") {
    using Row = std::tuple<const char*, std::string, const char*>;
    const auto no_header = "header: missing: the first line has to name the columns";
    const auto in_utf_16 = "file: not text in UTF-8 but in UTF-16: save it as UTF-8";
    std::vector<Row> all{
        Row{"nothing in it",                   "",                      no_header                        },
        Row{"only empty lines",                "\n\r\n",                no_header                        },
        Row{"two columns of one name",         "id,id\n1,2\n",          "header: two columns of one name"},
        Row{"a column without a name",         "id,\n1,2\n",            "header: a column without a name"},
        Row{"header quotes that do not match", "\"id,name\n1,2\n",      "header: quoting"                },
        Row{"semicolons",                      "id;name\n1;2\n",        "header: its columns are not"    },
        Row{"tabs",                            "id\tname\n1\t2\n",      "header: its columns are not"    },
        Row{"UTF-16 without a mark",           utf_16,                  in_utf_16                        },
        Row{"UTF-16 with one",                 "\xFF\xFE" + utf_16,     in_utf_16                        },
        Row{"a workbook",                      "PK\x03\x04 and more",   "file: not text but a workbook"  },
        Row{"a PDF",                           "%PDF-1.7\n%\xE2\xE3\n", "file: not text but a PDF"       },
        Row{"zeros",                           std::string(9,           '\0'),                             "file: not text"},
        Row{"too many columns",                                 wide,                                       "header: more than 1000 columns"                                   },
    };
    const auto [why, content, where] = GENERATE_COPY(from_range(all));
    CAPTURE(why);
    const test::TemporaryDirectory directory;
    const auto file = CsvFile::read(directory.write("file.csv", content));
    REQUIRE_FALSE(file);
    CHECK_THAT(file.error().where, Catch::StartsWith(where));
}

TEST_CASE("a file of nothing but stray quotes is given up, not searched for ever", "[client]") {
    std::string content = "id,name\n";
    for (std::size_t i = 0; i < csv_bad_rows_max + 10; ++i) content += "1,\"Ann\n2,Bob\"x\n";
    const test::TemporaryDirectory directory;
    const auto file = CsvFile::read(directory.write("file.csv", content));
    REQUIRE_FALSE(file);
    CHECK(file.error().where == "file: too many bad rows");
}

TEST_CASE("a file larger than the bound is refused unread", "[client]") {
    const test::TemporaryDirectory directory;
    const auto path = directory.write("file.csv", "id,name\n");
    std::filesystem::resize_file(path, csv_file_size_max + 1);
    const auto file = CsvFile::read(path);
    REQUIRE_FALSE(file);
    CHECK(file.error() == Refusal{Reason::too_large, "file"});
}

TEST_CASE("a file that is not there is an error of the machine, not of its writer", "[client]") {
    CHECK_THROWS_AS(CsvFile::read("/nonexistent/file.csv"), std::runtime_error);
}

TEST_CASE("text is counted and cut by characters, never within one", "[client]") {
    const std::string lukasz = "\xC5\x81ukasz";
    CHECK(client::characters_in(lukasz) == 6);
    CHECK(client::cut(lukasz, 7) == lukasz);
    CHECK(client::cut(lukasz, 3) == "\xC5\x81u");
    CHECK(client::cut(lukasz, 1).empty());
    CHECK(client::cut("", 0).empty());
}
