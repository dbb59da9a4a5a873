/// Mapping files, and the times their formats read: an error with file and line, or a mapping that any row goes through.
#include <stdexcept>

#include "adapters/police/csv_record.h"
#include "adapters/police/mapping.h"
#include "tests/fuzz/hold.h"

using namespace flagpost;
using namespace flagpost::police;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text{reinterpret_cast<const char*>(data), size};
    const auto end = text.find('\0');
    const std::string cell = end == std::string::npos ? "2026-10-25 01:30" : text.substr(end + 1);
    try {
        const auto mapping = Mapping::parse(text.substr(0, end), "fuzz.toml");
        if (mapping.format() == Mapping::Format::xml) return 0;
        client::CsvRow row{2, {}};
        for (const auto& column : mapping.columns()) row.cells[column] = cell;
        desk::Findings findings;
        std::vector<nlohmann::json> parts;
        parts.push_back(mapping.part(CsvRecord{row}, 0, findings));
        fuzz::hold(mapping.whole(std::move(parts), findings).is_object(), "a row makes an object");
    } catch (const std::runtime_error& error) {
        fuzz::hold(std::string{error.what()}.starts_with("fuzz.toml"), "a mistake is named by file");
    }
    return 0;
}
