using Hadal.Data.Corpora;
using Hadal.Data.FillInTheMiddle;
using Hadal.Data.Pipeline.Recipes;
using Hadal.Data.Pipeline.Storage;
using Hadal.Model.Tokenization;

namespace Hadal.Data.Pipeline.Stages;

/// <summary>A document and the number of its repetition become ids. What is drawn depends on the seed, the text and the repetition alone.</summary>
internal sealed class DocumentEncoder
{
    private const ulong Validation = 1, Copies = 2, Fim = 3, Cut = 4, Order = 5;
    private readonly TokenRecipe _recipe;
    private readonly ulong _seed;
    private readonly MiddleEncoder? _middle;
    private readonly PunctuationNewlineSplit? _split;
    private readonly int _end;

    /// <exception cref="DataException">The tokenizer lacks a control token that the recipe needs.</exception>
    public DocumentEncoder(TokenRecipe recipe, ulong seed)
    {
        (_recipe, _seed) = (recipe, seed);
        Tokenizer = Tokenizer.Load(recipe.Tokenizer);
        _end = Tokenizer.EosId ?? throw new DataException($"The tokenizer {recipe.Tokenizer} has no end-of-sentence token, which ends every document.", recipe.Tokenizer);
        if (recipe.FimRate > 0) _middle = new MiddleEncoder(Tokenizer);
        if (recipe.PunctuationNewlineSplitRate > 0) _split = new PunctuationNewlineSplit(Tokenizer, recipe.PunctuationNewlineSplitRate, seed);
    }

    public Tokenizer Tokenizer { get; }

    public int EndId => _end;

    /// <summary>Whether a document is kept apart for validation: equal texts are on the same side.</summary>
    public bool IsForValidation(StoredDocument document) => Unit(document, Validation, 0) < _recipe.ValidationShare;

    /// <summary>A draw in [0, 1) that says whether a document is among those that are repeated once more.</summary>
    public double CopiesDraw(StoredDocument document) => Unit(document, Copies, 0);

    /// <summary>A random number for the order of pieces.</summary>
    public ulong OrderOf(StoredDocument document, DocumentReference reference, int epoch, int offset) =>
        SplitHash.Mix(Draw(document, Order, epoch) ^ SplitHash.Mix(reference.Value ^ ((ulong)(uint)offset << 20)));

    /// <summary>Appends the ids of a document and the end token.</summary>
    /// <returns>Whether it was turned into prefix, suffix, middle.</returns>
    public bool Encode(StoredDocument document, int epoch, bool isForValidation, List<int> ids)
    {
        bool isMiddle = !isForValidation && _middle is not null && Unit(document, Fim, epoch) < _recipe.FimRate;
        bool isSplit = !isForValidation && _split is not null;
        var whole = isSplit ? [] : ids;
        if (isMiddle) _middle!.Encode(document.Text, MiddleCut.Draw(document.Text, Draw(document, Cut, epoch)), whole);
        else Tokenizer.Encode(document.Text, whole, EncodeOptions.Untrusted);
        if (isSplit) _split!.Apply(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(whole), string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{document.Original:x16}/{epoch}"), ids);
        ids.Add(_end);
        return isMiddle;
    }

    private double Unit(StoredDocument document, ulong purpose, int epoch) => (Draw(document, purpose, epoch) >> 11) * (1.0 / (1UL << 53));

    private ulong Draw(StoredDocument document, ulong purpose, int epoch) => SplitHash.Mix(document.Original ^ SplitHash.Mix(_seed ^ SplitHash.Mix(purpose + ((ulong)(uint)epoch << 8))));
}
