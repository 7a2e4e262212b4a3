using Hadal.Data.Languages;
using Hadal.Data.Pipeline.Recipes;
using Hadal.Data.Pipeline.Storage;

namespace Hadal.Data.Pipeline.Steps;

/// <summary>Tells the language of documents from their text, and drops languages that are not wanted.</summary>
/// <param name="choice">For which documents.</param>
/// <param name="kept">Languages that stay ("code" for all programming languages); empty for all.</param>
internal sealed class LanguageStep(LanguageChoice choice, IReadOnlyList<string> kept) : IDocumentStep
{
    private const string Undetermined = "und", Html = "code:html";
    private static readonly string[] _endings = [".html", ".htm", ".xhtml"];

    public string Stage => "language";

    public StepResult Apply(StoredDocument document)
    {
        bool isMissing = document.Language.Length == 0 || document.Language == Undetermined;
        if (choice == LanguageChoice.All || (choice == LanguageChoice.Missing && isMissing)) document = document with { Language = Tell(document) };
        if (kept.Count > 0 && !kept.Contains(document.Language) && !kept.Contains(document.Language.Split(':')[0])) return StepResult.Drop("language", document.Language);
        return StepResult.Keep(document);
    }

    // Marks of HTML in what is no file of HTML were left behind by whoever took the text out: no code that anybody wrote, and the rules for text have to see it.
    private static string Tell(StoredDocument document)
    {
        string language = LanguageIdentifier.Identify(document.Text, document.Id).Language;
        return language == Html && !_endings.Any(e => document.Id.EndsWith(e, StringComparison.OrdinalIgnoreCase)) ? LanguageIdentifier.Other : language;
    }
}
