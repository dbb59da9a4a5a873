/// Files that other systems hand over: rows, or a refusal; never a row of another width than its header.
#include "adapters/client/load.h"
#include "adapters/client/text.h"
#include "tests/fuzz/hold.h"

using namespace flagpost;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = client::CsvFile::parse({reinterpret_cast<const char*>(data), size});
    if (!file) return 0;
    std::uint64_t line = 0;
    for (const auto& row : file->rows()) {
        fuzz::hold(row.line > line, "rows come in the order of their lines");
        line = row.line;
        fuzz::hold(row.cells.size() == file->header().size(), "every row has the header's columns");
        for (const auto& [name, cell] : row.cells) fuzz::hold(client::is_utf8(cell), "every cell is UTF-8");
    }
    return 0;
}
