/// The pages of the list of flags: what was handed over, uploading a list, its preview, applying it.
#pragma once

#include "adapters/social_care/flag_book.h"
#include "adapters/web/handover.h"
#include "adapters/web/journal.h"
#include "adapters/web/site.h"

namespace flagpost::social_care {

struct FlagPageSettings {
    std::string la;                          // GSS code of the authority the flags are of
    std::string dfe_la;                      // in the DfE's three digits, or ""
    std::uint32_t flag_list_hours_max = 24;  // an older list is said
    std::uint32_t shrink_percent_max = 10;  // of the children flagged; a load that ends more needs two people
};

inline constexpr std::size_t flag_upload_size_max = 16u << 20;  // bytes

/// Why a load must be checked, and by two people; empty: it need not be.
std::string why_two(const FlagLoad& load, std::uint32_t shrink_percent_max);

/// The file of a load again, row by row, with what became of each: CSV that loads again where it was CSV.
std::string results_csv(const FlagFile& file, const std::string& bytes, const FlagLoad& load,
                        const std::optional<schemas::LoadResultValue>& result);

/// For the role `feeder`. Everything named lives as long as this.
class FlagPages {
public:
    FlagPages(web::Site& site, web::Reader& reader, web::Handover& handover, web::Journal& journal,
              FlagBook& book, FlagPageSettings settings);

private:
    web::Response list(const web::Visit& visit);
    web::Response ask(const web::Visit& visit, const std::string& error);
    web::Response upload(const web::Visit& visit);
    web::Response show(const web::Visit& visit, const std::string& error);
    web::Response results(const web::Visit& visit);
    web::Response apply(const web::Visit& visit);
    web::Response discard(const web::Visit& visit);

    /// The load of the path; settled.
    std::optional<FlagLoad> find(const web::Visit& visit);
    void settle(const web::Visit& visit);
    std::uint64_t next_sequence();
    std::optional<schemas::LoadResultValue> result_of(const FlagLoad& load);
    Result<FlagFile> read(const LoadContent& content, Instant now) const;
    web::Response send(const web::Visit& visit, const FlagLoad& load, FlagFile file);
    void note(const web::Visit& visit, const FlagLoad& load, const std::string& what);

    web::Site& site_;
    web::Reader& reader_;
    web::Handover& handover_;
    web::Journal& journal_;
    FlagBook& book_;
    FlagPageSettings settings_;
    std::string topic_;
};

}  // namespace flagpost::social_care
