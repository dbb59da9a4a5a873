/// A row of a CSV file, as long as the file lives.
#pragma once

#include "adapters/client/load.h"
#include "adapters/police/mapping.h"

namespace flagpost::police {

class CsvRecord final : public Record {
public:
    explicit CsvRecord(const client::CsvRow& row) : row_{row} {}
    std::vector<std::string> values(const Place& place) const override {
        const auto cell = row_.cells.find(place.text);
        if (cell == row_.cells.end() || cell->second.empty()) return {};
        return {cell->second};
    }
    std::vector<std::unique_ptr<Record>> each(const Place&) const override { return {}; }

private:
    const client::CsvRow& row_;
};

}  // namespace flagpost::police
