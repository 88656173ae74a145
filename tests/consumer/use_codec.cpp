#include <note_generated.h>

#include <pawl/journal/version.hpp>

int main() {
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(consumer::Createnote(builder, builder.CreateString("hello"), 3));
    const auto* note = flatbuffers::GetRoot<consumer::note>(builder.GetBufferPointer());
    return note->priority() == 3 && !pawl::version().empty() ? 0 : 1;
}
