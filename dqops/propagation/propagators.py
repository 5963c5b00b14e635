"""All propagators that come with dqops; importing this registers them."""

from dqops.propagation.by_bounds import Bounds
from dqops.propagation.by_counting import Knn
from dqops.propagation.by_influence import Influence
from dqops.propagation.by_retraining import Retrain

BUILT_IN = (Bounds, Influence, Knn, Retrain)
