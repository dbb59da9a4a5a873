#include <csv.h>

#include <cerrno>
#include <fstream>
#include <set>
#include <system_error>

#include "adapters/client/load.h"
#include "adapters/client/not_text.h"
#include "adapters/client/text.h"

namespace flagpost::client {
namespace {

struct FreeParser {
    void operator()(csv_parser* parser) const noexcept {
        csv_free(parser);
        delete parser;
    }
};

/// One record at a time through libcsv, so that what is wrong with one cannot reach the next.
class RecordParser {
public:
    RecordParser() : parser_{new csv_parser{}} {
        if (csv_init(parser_.get(), CSV_STRICT | CSV_STRICT_FINI) != 0) throw std::bad_alloc{};
    }

    /// The cells of a record without its line end; nothing if its quoting is wrong.
    std::optional<std::vector<std::string>> parse(std::string_view record) {
        cells_.clear();
        const bool parsed = csv_parse(parser_.get(), record.data(), record.size(), &RecordParser::cell,
                                      nullptr, this) == record.size();
        const bool finished = csv_fini(parser_.get(), &RecordParser::cell, nullptr, this) == 0;
        if (!parsed || !finished) {
            csv_free(parser_.get());
            if (csv_init(parser_.get(), CSV_STRICT | CSV_STRICT_FINI) != 0) throw std::bad_alloc{};
            return std::nullopt;
        }
        return std::move(cells_);
    }

private:
    static void cell(void* content, std::size_t size, void* self) {
        static_cast<RecordParser*>(self)->cells_.emplace_back(static_cast<const char*>(content), size);
    }

    std::unique_ptr<csv_parser, FreeParser> parser_;
    std::vector<std::string> cells_;
};

struct Record {
    std::string_view text;  // without its line end
    std::uint64_t line;     // of its first byte, from 1
};

/// Cuts a text into records at line ends outside quotes: CR LF, LF or CR.
class RecordReader {
public:
    explicit RecordReader(std::string_view text) : text_{text} {}

    /// The next record, or nothing at the end. A quote never closed ends its record at the first line end.
    std::optional<Record> next() {
        if (at_ == text_.size()) return std::nullopt;
        begin_ = at_;
        begin_line_ = line_;
        auto end = line_end(true);
        if (!end) end = line_end(false);
        return take(*end);
    }

    /// Takes back all but the first line of the record given last, whose quoting was wrong: the lines after it may
    /// well be records of their own.
    void keep_first_line_only() {
        at_ = begin_;
        line_ = begin_line_;
        take(*line_end(false));
    }

private:
    /// Where the record that begins at at_ ends; nothing if its quotes do not close within its bound.
    std::optional<std::size_t> line_end(bool quotes) const {
        bool quoted = false;
        const std::size_t bound = std::min(text_.size(), at_ + csv_record_size_max);
        std::size_t end = at_;
        for (; end < (quotes ? bound : text_.size()); ++end) {
            const char c = text_[end];
            if (quotes && c == '"') quoted = !quoted;
            if (!quoted && (c == '\n' || c == '\r')) return end;
        }
        if (quoted || end != text_.size()) return std::nullopt;
        return end;
    }

    Record take(std::size_t end) {
        const Record record{text_.substr(at_, end - at_), line_};
        for (std::size_t i = at_; i < end; ++i)
            if (text_[i] == '\n' || (text_[i] == '\r' && text_[i + 1] != '\n')) ++line_;
        at_ = end;
        if (at_ < text_.size()) {
            at_ += text_.substr(at_).starts_with("\r\n") ? 2 : 1;
            ++line_;
        }
        return record;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::uint64_t line_ = 1;
    std::size_t begin_ = 0;
    std::uint64_t begin_line_ = 1;
};

std::string read_whole(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) throw std::system_error{errno, std::generic_category(), "cannot open " + file.string()};
    std::string bytes{std::istreambuf_iterator<char>{stream}, {}};
    if (stream.bad()) throw std::runtime_error{"cannot read " + file.string()};
    return bytes;
}

/// The names of a header; a refusal if a row could not be read by them.
Result<std::vector<std::string>> header_of(const std::vector<std::string>& cells) {
    if (cells.size() > csv_columns_max)
        return refuse(Reason::too_large, "header: more than " + std::to_string(csv_columns_max) + " columns");
    if (cells.size() == 1 && cells.front().find_first_of(";\t") != std::string::npos)
        return refuse(Reason::malformed,
                      "header: its columns are not separated by commas: save it with commas");
    std::vector<std::string> names;
    std::set<std::string> seen;
    for (const std::string& cell : cells) {
        names.emplace_back(trimmed(cell));
        if (names.back().empty()) return refuse(Reason::malformed, "header: a column without a name");
        if (!seen.insert(names.back()).second)
            return refuse(Reason::malformed, "header: two columns of one name");
    }
    return names;
}

/// What is wrong with a row's cells; empty if nothing is.
std::string fault_in(const std::vector<std::string>& cells, std::size_t columns) {
    if (cells.size() != columns)
        return std::to_string(cells.size()) + " cells where the header has " + std::to_string(columns);
    for (const std::string& cell : cells) {
        if (cell.size() > csv_cell_size_max) return "a cell is too long";
        if (has_broken_characters(cell)) return "not text";
    }
    return {};
}

}  // namespace

Result<CsvFile> CsvFile::read(const std::filesystem::path& file) {
    std::error_code unreadable;
    if (std::filesystem::file_size(file, unreadable) > csv_file_size_max && !unreadable)
        return refuse(Reason::too_large, "file");
    return parse(read_whole(file));
}

Result<CsvFile> CsvFile::parse(std::string bytes) {
    if (const auto why = fault_in_text(bytes); !why.empty()) return refuse(Reason::malformed, "file: " + why);
    const std::string text = to_utf8(std::move(bytes));

    RecordReader reader{text};
    RecordParser parser;
    CsvFile csv;
    while (const auto record = reader.next()) {
        if (trimmed(record->text).empty()) continue;
        const auto cells = parser.parse(record->text);
        if (csv.header_.empty()) {
            if (!cells) return refuse(Reason::malformed, "header: quoting");
            auto names = header_of(*cells);
            if (!names) return tl::unexpected{names.error()};
            csv.header_ = std::move(*names);
            continue;
        }
        const std::string fault = cells ? fault_in(*cells, csv.header_.size()) : "quotes do not match";
        if (fault.empty()) {
            CsvRow row{record->line, {}};
            for (std::size_t i = 0; i < cells->size(); ++i)
                row.cells.emplace(csv.header_[i], trimmed((*cells)[i]));
            csv.rows_.push_back(std::move(row));
            continue;
        }
        csv.bad_rows_.push_back({record->line, fault});
        if (csv.bad_rows_.size() > csv_bad_rows_max)
            return refuse(Reason::malformed, "file: too many bad rows");
        if (!cells) reader.keep_first_line_only();
    }
    if (csv.header_.empty())
        return refuse(Reason::malformed, "header: missing: the first line has to name the columns");
    return csv;
}

}  // namespace flagpost::client
