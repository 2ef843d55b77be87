#!/usr/bin/env python3
"""Makes every derived file of the demo from anes96.csv: tables, three models, scores. Same input, same bytes."""

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).resolve().parent
OBSERVED = ["popul", "age", "educ", "income"]
ESTIMATED = {"TVnews": (0, 7), "selfLR": (1, 7), "PID": (0, 6)}
FEATURES = OBSERVED + list(ESTIMATED)
TARGET = "vote"
RELIGIONS = ["none", "catholic", "jewish", "muslim", "other", "protestant"]
HOUSEHOLDS = 200


def read_survey():
    survey = pd.read_csv(HERE / "anes96.csv", sep="\t", quotechar="'")
    survey.insert(0, "respondent", range(1, len(survey) + 1))
    return survey


def derive_features(survey):
    """Population on a log scale, age by decade, the rest as answered."""
    features = survey[["respondent", *FEATURES, TARGET]].copy()
    features["popul"] = np.log10(1 + features["popul"]).round(3)
    features["age"] = features["age"] // 10 * 10
    return features


def invent_religion(survey):
    """Drawn at random, independent of every answer: it says nothing about any respondent."""
    draw = np.random.default_rng(1996)
    return survey.assign(religion=draw.choice(RELIGIONS, size=len(survey)))


def estimate_households(features):
    """Households nobody asked: four known columns drawn from the survey's marginals, the other three guessed from those four."""
    draw = np.random.default_rng(7)
    households = pd.DataFrame({name: draw.choice(features[name].to_numpy(), size=HOUSEHOLDS) for name in OBSERVED})
    guess = LinearRegression().fit(features[OBSERVED], features[list(ESTIMATED)]).predict(households[OBSERVED])
    for column, (name, (low, high)) in zip(guess.T, ESTIMATED.items()):
        households[name] = column.clip(low, high).round(1)
    households.insert(0, "household", [f"H{n:03}" for n in range(1, HOUSEHOLDS + 1)])
    return households


def indicators(features):
    """One 0/1 column per religion but the first, which is the reference."""
    columns = {f"religion_{name}": (features["religion"] == name).astype(int) for name in RELIGIONS[1:]}
    return features.drop(columns="religion").assign(**columns)


def train(name, features, seed):
    """The recipe: split, scale, fit; a portable model and its figures on the part held out."""
    inputs = features.drop(columns=["respondent", TARGET])
    train_x, test_x, train_y, test_y = train_test_split(
        inputs, features[TARGET], test_size=0.25, random_state=seed, stratify=features[TARGET]
    )
    scaler = StandardScaler().fit(train_x)
    fitted = LogisticRegression(C=1.0, max_iter=1000).fit(scaler.transform(train_x), train_y)
    model = {
        "kind": "logistic_regression",
        "target": TARGET,
        "positive_class": 1,
        "features": list(inputs.columns),
        "scaling": {"mean": rounded(scaler.mean_), "scale": rounded(scaler.scale_)},
        "coefficients": rounded(fitted.coef_[0]),
        "intercept": round(float(fitted.intercept_[0]), 6),
    }
    # The figures are those of the written model, not of the object in memory.
    scores = predict(model, test_x)
    metrics = {
        "accuracy": round(float(accuracy_score(test_y, scores >= 0.5)), 4),
        "auc": round(float(roc_auc_score(test_y, scores)), 4),
        "n_train": len(train_x),
        "n_test": len(test_x),
        "seed": seed,
    }
    write_json(HERE / name / "model.json", model)
    write_json(HERE / name / "metrics.json", metrics)
    print(name, metrics)
    return model


def predict(model, table):
    """Probability of the positive class, from nothing but what model.json says."""
    scaled = (table[model["features"]].to_numpy() - model["scaling"]["mean"]) / model["scaling"]["scale"]
    return 1 / (1 + np.exp(-(scaled @ model["coefficients"] + model["intercept"])))


def rounded(values):
    return [round(float(value), 6) for value in values]


def write_json(path, value):
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def write_csv(name, table):
    table.to_csv(HERE / name, index=False, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    print(name, f"{len(table)} rows")


def main():
    survey = read_survey()
    features = derive_features(survey)
    write_csv("survey.csv", survey)
    write_csv("features.csv", features)
    model = train("vote-model", features, seed=1)
    train("vote-model-2", features, seed=2)

    households = estimate_households(features)
    write_csv("households.csv", households)
    write_csv("scores.csv", households[["household"]].assign(score=predict(model, households).round(4)))

    with_religion = invent_religion(survey)
    features_with_religion = features.assign(religion=with_religion["religion"])
    write_csv("survey-religion.csv", with_religion)
    write_csv("features-religion.csv", features_with_religion)
    train("vote-model-3", indicators(features_with_religion), seed=1)


if __name__ == "__main__":
    main()
