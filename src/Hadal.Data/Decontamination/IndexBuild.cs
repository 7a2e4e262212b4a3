namespace Hadal.Data.Decontamination;

/// <summary>Gathers the windows of items until the tables are made.</summary>
internal sealed class IndexBuild(ContaminationRules rules)
{
    private readonly Dictionary<string, int> _sets = [];
    private readonly List<ulong> _words = [];

    public List<string> Sets { get; } = [];

    public List<ItemPart> Parts { get; } = [];

    public WindowList Spaced { get; } = new();

    public WindowList Unspaced { get; } = new();

    public List<(int Part, ulong[] Words)> Short { get; } = [];

    public void Add(EvaluationItem item)
    {
        if (!_sets.TryGetValue(item.Set, out int set))
        {
            set = Sets.Count;
            _sets.Add(item.Set, set);
            Sets.Add(item.Set);
        }

        Add(item.Question, new ItemPart(set, item.Number, EvaluationPart.Question));
        Add(item.Answer, new ItemPart(set, item.Number, EvaluationPart.Answer));
        Add(item.Text, new ItemPart(set, item.Number, EvaluationPart.Text));
    }

    private void Add(string? text, ItemPart part)
    {
        if (string.IsNullOrEmpty(text)) return;
        _words.Clear();
        int letters = 0, ideographs = 0;
        var words = new TextWords(text);
        while (words.MoveNext())
        {
            _words.Add(words.Hash);
            letters += words.End - words.Start;
            if (words.IsIdeograph) ideographs++;
        }

        bool unspaced = ideographs * 2 > _words.Count;
        int width = unspaced ? rules.Characters : rules.Words;
        if (_words.Count >= width)
        {
            var window = new WindowHash(width);
            for (int i = 0; i < _words.Count; i++)
            {
                window.Move(i < width ? 0 : _words[i - width], _words[i]);
                if (i + 1 >= width) (unspaced ? Unspaced : Spaced).Add(window.Value, Parts.Count);
            }
        }
        else if (part.Part is not EvaluationPart.Answer && (unspaced ? _words.Count >= rules.MinShortCharacters : _words.Count >= rules.MinShortWords && letters >= rules.MinShortLetters))
        {
            Short.Add((Parts.Count, _words.ToArray()));
        }
        else
        {
            return;
        }

        Parts.Add(part);
    }
}
